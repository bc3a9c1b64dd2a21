"""For each action of each role the flow that needs it."""

from collections.abc import Callable, Iterator

from tests.functions import RECEIVERS
from tests.role_flows import (
    Ground,
    announcing,
    asking_for_a_fresh_link,
    dropping_what_was_cut_short,
    finding_it_stored,
    giving_up,
    going_on_with_an_upload,
    keeping_a_large_body,
    keeping_to_the_rate_limit,
    keeping_what_cannot_be_read,
    looking_up,
    merging,
    reading_a_batchs_result,
    reading_the_secret,
    recording,
    storing,
    trying_again_later,
    writing_the_receipt,
)
from tests.role_flows_reconcile import (
    keeping_a_notice_that_names_nothing,
    knowing_who_is_known,
    listing,
    queueing_again,
    reading_the_credentials,
    tracking,
)
from tests.role_flows_secrets import (
    fetching,
    finishing,
    having_captions_make_one,
    making_a_token,
    registering,
    taking_what_captions_shows,
)

FLOWS: dict[tuple[str, str], Callable[[Ground, str], Iterator[None]]] = {
    **{
        (f"{function}Role", action): flow
        for function in RECEIVERS
        for action, flow in {
            "dynamodb:PutItem": recording,
            "s3:PutObject": keeping_a_large_body,
            "secretsmanager:DescribeSecret": reading_the_secret,
            "secretsmanager:GetSecretValue": reading_the_secret,
        }.items()
    },
    **{
        ("RegisterCaptionsWebhookRole", action): registering
        for action in (
            *("dynamodb:GetItem", "dynamodb:PutItem"),
            *("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"),
            *("secretsmanager:TagResource", "secretsmanager:UntagResource"),
        )
    },
    **{
        ("RotateCaptionsSecretRole", f"secretsmanager:{action}"): flow
        for action, flow in {
            "DescribeSecret": taking_what_captions_shows,
            "GetSecretValue": taking_what_captions_shows,
            "PutSecretValue": taking_what_captions_shows,
            "UpdateSecretVersionStage": finishing,
            "TagResource": having_captions_make_one,
            "UntagResource": having_captions_make_one,
        }.items()
    },
    ("RotateCaptionsSecretRole", "dynamodb:GetItem"): taking_what_captions_shows,
    ("RotateCaptionsSecretRole", "dynamodb:PutItem"): taking_what_captions_shows,
    **{
        ("RotateCreatifyTokenRole", f"secretsmanager:{action}"): flow
        for action, flow in {
            "DescribeSecret": making_a_token,
            "GetSecretValue": making_a_token,
            "PutSecretValue": making_a_token,
            "UpdateSecretVersionStage": finishing,
        }.items()
    },
    ("FetchSyncSecretRole", "secretsmanager:GetSecretValue"): fetching,
    ("FetchSyncSecretRole", "secretsmanager:PutSecretValue"): fetching,
    ("TrackRole", "dynamodb:PutItem"): tracking,
    ("TrackRole", "sqs:SendMessage"): keeping_a_notice_that_names_nothing,
    ("ReconcileRole", "dynamodb:Query"): listing,
    ("ReconcileRole", "dynamodb:GetItem"): queueing_again,
    ("ReconcileRole", "sqs:SendMessage"): queueing_again,
    ("ReconcileRole", "dynamodb:PutItem"): queueing_again,
    ("ReconcileRole", "dynamodb:BatchGetItem"): knowing_who_is_known,
    ("ReconcileRole", "secretsmanager:GetSecretValue"): reading_the_credentials,
    ("AdvanceRole", "dynamodb:GetItem"): merging,
    ("AdvanceRole", "dynamodb:PutItem"): merging,
    ("AdvanceRole", "sqs:SendMessage"): keeping_what_cannot_be_read,
    ("AnnounceRole", "events:PutEvents"): announcing,
    ("AnnounceRole", "s3:PutObject"): announcing,
    ("AnnounceRole", "sqs:SendMessage"): keeping_what_cannot_be_read,
    ("ArchiveRole", "dynamodb:Query"): looking_up,
    ("ArchiveRole", "dynamodb:GetItem"): keeping_to_the_rate_limit,
    ("ArchiveRole", "dynamodb:PutItem"): writing_the_receipt,
    ("ArchiveRole", "s3:PutObject"): storing,
    ("ArchiveRole", "s3:GetObject"): finding_it_stored,
    ("ArchiveRole", "s3:GetObjectVersion"): reading_a_batchs_result,
    ("ArchiveRole", "s3:AbortMultipartUpload"): dropping_what_was_cut_short,
    ("ArchiveRole", "s3:ListMultipartUploadParts"): going_on_with_an_upload,
    ("ArchiveRole", "sqs:ChangeMessageVisibility"): trying_again_later,
    ("ArchiveRole", "sqs:SendMessage"): giving_up,
    ("ArchiveRole", "secretsmanager:GetSecretValue"): asking_for_a_fresh_link,
}
