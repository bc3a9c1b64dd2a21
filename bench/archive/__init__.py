"""From a link to a bucket: the archive's engine compared with the usual alternatives. `python -m bench.archive --help`.

The competitors run in turn, each in its own process on one core. The media host (nginx) and the bucket
(`simulators.s3`) have other cores, or share one if there are only two. Both speak TLS on the loopback and measure the
time from the first request that either receives to the last response that either sends. So no program's start counts,
and no program measures itself.
"""
