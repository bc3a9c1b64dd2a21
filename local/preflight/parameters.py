"""Example values for parameters."""

# For each parameter that is empty by default: with these values all conditions are true.
EVERYTHING = {
    "AlarmEmail": "oncall@example.com",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:oncall",
    "CaptionsApiSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:captions/api-AbC123",
    "CaptionsRotationDays": "30",
    "DeletionProtection": "true",
    "DomainName": "hooks.example.com",
    "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary",
    "PrivateMediaHosts": "media.internal,10.0.0.7",
    "ReceiverDeployment": "Canary10Percent5Minutes",
    "ReceiverReservedConcurrency": "50",
    "ReceiverSnapStart": "PublishedVersions",
    "ReconcileMinutes": "1",
}

# The parameters of the role in examples/github: the fewest, and all of them.
_ROLE = {
    "PolicyArns": "arn:aws:iam::123456789012:policy/dailies-compute,arn:aws:iam::123456789012:policy/dailies-state",
    "Repository": "octo-org@1/dailies@2",
}
ROLES = {
    "role": _ROLE,
    "role-everything": _ROLE
    | {
        "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary",
        "ProviderArn": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
    },
}
