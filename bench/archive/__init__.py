"""From a link to a bucket: the archive's engine against what one would otherwise use. `python -m bench.archive --help`.

Every way runs in turn as a process of its own on one core; the media host (nginx) and the bucket (`simulators.s3`) have
others, or share one where there are only two. Both speak TLS on loopback, both watch: seconds are from the first
request that one of them got to the last answer that one of them gave, so that no program's start counts and none
reports about itself.
"""
