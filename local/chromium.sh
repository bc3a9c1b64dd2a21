#!/bin/sh
# Brings a headless Chromium into .local/chromium, without root and without a package of the machine's: the browser and
# the libraries it needs from npm's @sparticuz/chromium, fonts from dejavu-fonts-ttf. requirements/chromium/ has their
# exact versions and hashes. `python -m local.chromium` calls this where no other browser is.
set -eu
cd "$(dirname "$0")/.."

FOLDER=.local/chromium
PINS=requirements/chromium

fail() {
    echo "chromium: $1; install one (apt install chromium) or set CHROMIUM=/path/to/it" >&2
    exit 1
}

wanted=$(cat local/chromium.sh "$PINS"/* | cksum)
[ "$(cat "$FOLDER/set-up" 2>/dev/null || true)" != "$wanted" ] || exit 0
[ "$(uname -sm)" = "Linux x86_64" ] || fail "there is none to download for $(uname -sm)"

# Made beside and put in its place at the end: what was interrupted is never taken for a browser.
echo "chromium: downloading one into $FOLDER" >&2
new=$FOLDER.new
rm -rf "$new"
mkdir -p "$new/fonts"
cp "$PINS"/package.json "$PINS"/package-lock.json "$new"
local/node.sh npm ci --prefix "$new" --ignore-scripts --omit=optional --prefer-offline --fetch-retry-mintimeout=1000 \
    --loglevel=error --no-audit --no-fund --no-update-notifier >/dev/null ||
    fail "npm could not download one, see above; let npm's own configuration name a registry that can be reached"

inflate() {
    local/node.sh node -e '
        require("stream").pipeline(process.stdin, require("zlib").createBrotliDecompress(), process.stdout, (e) => { if (e) throw e })
    ' <"$new/node_modules/@sparticuz/chromium/bin/$1.br" >"$new/$1"
}
inflate chromium
for archive in al2023.tar swiftshader.tar fonts.tar; do
    inflate "$archive"
    tar -xf "$new/$archive" -C "$new" --no-same-owner
    rm "$new/$archive"
done
for font in DejaVuSans DejaVuSans-Bold DejaVuSansMono DejaVuSansMono-Bold; do
    mv "$new/node_modules/dejavu-fonts-ttf/ttf/$font.ttf" "$new/fonts"
done
rm -r "$new"/node_modules "$new"/package*.json

# Its own fonts and no others: the same page and the same pictures on every machine.
cat >"$new/fonts.conf" <<'END'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
END
mkdir "$new/bin"
mv "$new/chromium" "$new/bin/headless_shell"
mv "$new"/lib*.so* "$new"/vk_swiftshader_icd.json "$new/bin"
cat >"$new/chromium" <<'END'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
export LD_LIBRARY_PATH="$here/lib" FONTCONFIG_FILE="$here/fonts.conf"
exec "$here/bin/headless_shell" "$@"
END
chmod +x "$new/chromium" "$new/bin/headless_shell"
"$new/chromium" --version >&2 || fail "the one that was downloaded does not run here, see above"
echo "$wanted" >"$new/set-up"
rm -rf "$FOLDER"
mv "$new" "$FOLDER"
