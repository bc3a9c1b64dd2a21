"""The attributes of rows: the public contract's, and ours beside them."""

# Ours: whose clock `occurred_at` is; who wrote the row, so that a put whose answer was lost is told from a duplicate.
EVENT = {
    *("pk", "sk", "event_id", "provider", "webhook", "job_id", "status", "provider_status"),
    *("occurred_at", "received_at", "origin", "expires_at", "clock", "written_by"),
}
JOB = {
    *("pk", "sk", "provider", "webhook", "job_id", "status", "provider_status", "stage"),
    *("first_seen_at", "updated_at", "media", "version", "listed"),
}
# Of a medium in a job row. Ours: when the link was last found and at which host; which host served the bytes.
ARCHIVED = {
    *("role", "media_id", "state", "source_host", "key", "version_id", "bytes", "checksum", "content_type"),
    *("archived_at", "found_at", "link_host", "served_by"),
}
# Ours: what the medium's own header says, and where its provider said otherwise.
HEADER = {"seconds", "width", "height", "note"}
QUARANTINED = {
    *("pk", "sk", "event_id", "provider", "webhook", "received_at", "origin", "reason", "proof", "written_by"),
}
