"""The attributes of rows: those in the public contract, and internal ones."""

# Internal: the clock of `occurred_at`; the row's writer, to distinguish a put whose response was lost from a duplicate.
EVENT = {
    *("pk", "sk", "event_id", "provider", "webhook", "job_id", "status", "provider_status"),
    *("occurred_at", "received_at", "origin", "expires_at", "clock", "written_by"),
}
JOB = {
    *("pk", "sk", "provider", "webhook", "job_id", "status", "provider_status", "stage"),
    *("first_seen_at", "updated_at", "media", "version", "listed"),
}
# In a job row's medium. Internal: when the link was last found and its host; the host that served the bytes.
ARCHIVED = {
    *("role", "media_id", "state", "source_host", "key", "version_id", "bytes", "checksum", "content_type"),
    *("archived_at", "found_at", "link_host", "served_by"),
}
# Internal: the medium's facts by its own header, where its provider reports others.
HEADER = {"seconds", "width", "height", "note"}
QUARANTINED = {
    *("pk", "sk", "event_id", "provider", "webhook", "received_at", "origin", "reason", "proof", "written_by"),
}
