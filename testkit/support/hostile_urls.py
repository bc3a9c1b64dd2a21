"""Addresses and links that the SSRF guard must reject."""

PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "::127.0.0.1", "::10.0.0.1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:db8::1"),
    *("2001:0:53aa:64c:0:fbff:5601:5601", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254"),
    *("ff02::1", "ff0e::1", "100::1", "4000::1"),
]

REFUSED = [
    # not https
    *("http://h.example/", "ftp://h.example/", "file:///etc/passwd", "gopher://h.example/", "data:video/mp4;base64,AA"),
    *("javascript:alert(1)", "ws://h.example/", "//h.example/x", "h.example/x", "/etc/passwd", "", " "),
    # hidden hosts
    *("https://user@h.example/", "https://user:secret@h.example/", "https://@h.example/", "https://:@h.example/"),
    *("https://good.example\\@h.example/", "https://good.example:443@h.example/"),
    # ports other than 443
    *("https://h.example:22/", "https://h.example:80/", "https://h.example:8443/", "https://h.example:0/"),
    # malformed
    *("https://", "https:///x", "https://?x", "https://h.example:99999/", "https://h.example:x/", "https://[::1/"),
    *("https://[h.example]/", "https://h..example/", f"https://{'h' * 64}.example/", "https://\u2100.example/"),
    # addresses in every notation that programs accept
    *("https://127.0.0.1/", "https://127.1/", "https://127.0.0.1./", "https://0/", "https://0.0.0.0/"),
    *("https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://0x7f.0.0.1/", "https://0177.1/"),
    *("https://127。0。0。1/", "https://①②⑦.⓪.⓪.①/", "https://169.254.169.254/", "https://2852039166/"),
    *("https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.0.1/", "https://100.64.0.1/", "https://224.0.0.1/"),
    *("https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/"),
    *("https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[fe80::1]/", "https://[fe80::1%lo]/"),
    *("https://[fd00:ec2::254]/", "https://[fec0::1]/"),
    # local host names
    *("https://localhost/", "https://LOCALHOST./", "https://localhost:443/"),
]
