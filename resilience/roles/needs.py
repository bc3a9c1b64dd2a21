"""For each action of each role, on each resource, the flow that needs it."""

from collections.abc import Iterator

from dailies.providers import every_provider
from resilience.roles.flows import (
    Flow,
    announcing,
    keeping_a_large_body,
    keeping_a_large_body_that_cannot_be_read,
    keeping_what_cannot_be_read,
    merging,
    queueing_what_is_found,
    reading_the_secret,
    recording,
)
from resilience.roles.flows_archive import (
    asking_for_a_fresh_link,
    dropping_what_was_cut_short,
    finding_it_stored,
    giving_up,
    going_on_with_an_upload,
    keeping_to_the_rate_limit,
    looking_up,
    reading_a_batchs_result,
    storing,
    trying_again_later,
    waiting_for_the_rate_limit,
    writing_the_receipt,
)
from resilience.roles.flows_reconcile import (
    keeping_a_notice_that_names_nothing,
    knowing_who_is_known,
    listing,
    queueing_again,
    reading_the_credentials,
    tracking,
)
from resilience.roles.flows_secrets import (
    fetching,
    finishing,
    having_captions_make_one,
    making_a_token,
    reading_the_key,
    registering,
    taking_what_captions_shows,
)
from testkit.support.functions import RECEIVERS
from testkit.support.template import functions, target

# The template's names of the providers' API credentials, by provider.
API_SECRET = {name: f"{name.capitalize()}ApiSecret" for name, one in every_provider().items() if one.has_api}


def of_a_receiver(function: str, webhook: str) -> Iterator[tuple[str, str, Flow]]:
    """A receiver's needs: action, resource and flow."""
    provider = webhook.partition("/")[0]
    proves = target(functions()[function]["Environment"]["Variables"]["SIGNING_SECRET_ID"])
    yield "dynamodb:PutItem", "Table", recording
    yield "s3:PutObject", f"deliveries/events/{provider}/*", keeping_a_large_body
    yield "s3:PutObject", f"deliveries/quarantine/{provider}/*", keeping_a_large_body_that_cannot_be_read
    yield "secretsmanager:DescribeSecret", proves, reading_the_secret
    yield "secretsmanager:GetSecretValue", proves, reading_the_secret


FLOWS: dict[tuple[str, str, str], Flow] = {
    **{
        (f"{function}Role", action, resource): flow
        for function, webhook in RECEIVERS.items()
        for action, resource, flow in of_a_receiver(function, webhook)
    },
    **{
        ("RegisterCaptionsWebhookRole", action, resource): registering
        for action, resource in (
            ("dynamodb:GetItem", "Table"),
            ("dynamodb:PutItem", "Table"),
            ("secretsmanager:GetSecretValue", "CaptionsApiSecretArn"),
            ("secretsmanager:GetSecretValue", "CaptionsSigningSecret"),
            ("secretsmanager:PutSecretValue", "CaptionsSigningSecret"),
            ("secretsmanager:TagResource", "CaptionsSigningSecret"),
            ("secretsmanager:UntagResource", "CaptionsSigningSecret"),
        )
    },
    **{
        ("RotateCaptionsSecretRole", f"secretsmanager:{action}", "CaptionsSigningSecret"): flow
        for action, flow in {
            "DescribeSecret": taking_what_captions_shows,
            "GetSecretValue": taking_what_captions_shows,
            "PutSecretValue": taking_what_captions_shows,
            "UpdateSecretVersionStage": finishing,
            "TagResource": having_captions_make_one,
            "UntagResource": having_captions_make_one,
        }.items()
    },
    ("RotateCaptionsSecretRole", "secretsmanager:GetSecretValue", "CaptionsApiSecretArn"): reading_the_key,
    ("RotateCaptionsSecretRole", "dynamodb:GetItem", "Table"): taking_what_captions_shows,
    ("RotateCaptionsSecretRole", "dynamodb:PutItem", "Table"): taking_what_captions_shows,
    **{
        ("RotateCreatifyTokenRole", f"secretsmanager:{action}", "CreatifyToken"): flow
        for action, flow in {
            "DescribeSecret": making_a_token,
            "GetSecretValue": making_a_token,
            "PutSecretValue": making_a_token,
            "UpdateSecretVersionStage": finishing,
        }.items()
    },
    ("FetchSyncSecretRole", "secretsmanager:GetSecretValue", "SyncApiSecret"): fetching,
    ("FetchSyncSecretRole", "secretsmanager:GetSecretValue", "SyncSigningSecret"): fetching,
    ("FetchSyncSecretRole", "secretsmanager:PutSecretValue", "SyncSigningSecret"): fetching,
    ("TrackRole", "dynamodb:PutItem", "Table"): tracking,
    ("TrackRole", "sqs:SendMessage", "TrackFailures"): keeping_a_notice_that_names_nothing,
    ("ReconcileRole", "dynamodb:Query", "index/jobs"): listing,
    ("ReconcileRole", "dynamodb:GetItem", "Table"): queueing_again,
    ("ReconcileRole", "sqs:SendMessage", "ArchiveQueue"): queueing_again,
    ("ReconcileRole", "dynamodb:PutItem", "Table"): queueing_again,
    ("ReconcileRole", "dynamodb:BatchGetItem", "Table"): knowing_who_is_known,
    **{
        ("ReconcileRole", "secretsmanager:GetSecretValue", API_SECRET[provider]): reading_the_credentials(provider)
        for provider in API_SECRET
    },
    ("AdvanceRole", "dynamodb:GetItem", "Table"): merging,
    ("AdvanceRole", "dynamodb:PutItem", "Table"): merging,
    ("AdvanceRole", "sqs:SendMessage", "AdvanceFailures"): keeping_what_cannot_be_read,
    ("AnnounceRole", "events:PutEvents", "Bus"): announcing,
    ("AnnounceRole", "sqs:SendMessage", "ArchiveQueue"): queueing_what_is_found,
    ("AnnounceRole", "s3:PutObject", "media/*/job.json"): announcing,
    ("AnnounceRole", "sqs:SendMessage", "AnnounceFailures"): keeping_what_cannot_be_read,
    ("ArchiveRole", "dynamodb:Query", "Table"): looking_up,
    ("ArchiveRole", "dynamodb:GetItem", "Table"): keeping_to_the_rate_limit,
    ("ArchiveRole", "dynamodb:PutItem", "Table"): writing_the_receipt,
    **{
        ("ArchiveRole", f"s3:{action}", "media/*"): flow
        for action, flow in {
            "PutObject": storing,
            "GetObject": finding_it_stored,
            "GetObjectVersion": reading_a_batchs_result,
            "AbortMultipartUpload": dropping_what_was_cut_short,
            "ListMultipartUploadParts": going_on_with_an_upload,
        }.items()
    },
    ("ArchiveRole", "sqs:ChangeMessageVisibility", "ArchiveQueue"): trying_again_later,
    ("ArchiveRole", "sqs:SendMessage", "ArchiveDeadLetters"): giving_up,
    ("ArchiveRole", "sqs:SendMessage", "ArchiveQueue"): waiting_for_the_rate_limit,
    **{
        ("ArchiveRole", "secretsmanager:GetSecretValue", API_SECRET[provider]): asking_for_a_fresh_link(provider)
        for provider in API_SECRET
    },
}

# One for each role, which the tests remove: its flow is short, or makes requests that no other test makes.
ONE_OF_EACH_ROLE: dict[str, tuple[str, str]] = {
    **{f"{function}Role": ("dynamodb:PutItem", "Table") for function in RECEIVERS},
    "RegisterCaptionsWebhookRole": ("dynamodb:GetItem", "Table"),
    "RotateCaptionsSecretRole": ("secretsmanager:DescribeSecret", "CaptionsSigningSecret"),
    "RotateCreatifyTokenRole": ("secretsmanager:UpdateSecretVersionStage", "CreatifyToken"),
    "FetchSyncSecretRole": ("secretsmanager:PutSecretValue", "SyncSigningSecret"),
    "TrackRole": ("dynamodb:PutItem", "Table"),
    "ReconcileRole": ("dynamodb:Query", "index/jobs"),
    "AdvanceRole": ("sqs:SendMessage", "AdvanceFailures"),
    "AnnounceRole": ("sqs:SendMessage", "AnnounceFailures"),
    "ArchiveRole": ("dynamodb:Query", "Table"),
}
