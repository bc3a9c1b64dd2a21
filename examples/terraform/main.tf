# Dailies as a stack that Terraform keeps, and a queue of your own that gets an event for each job that is done with.
# `sam package` makes packaged.yaml; it is too long for template_body, so it goes through a bucket.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

variable "packages_bucket" {
  description = "The bucket that `sam package` uploaded to, in the region of the stack."
  type        = string
}

variable "stack_name" {
  description = "What the stack is called, and with it its bus and its secrets."
  type        = string
  default     = "dailies"
}

locals {
  template = "${path.module}/../../packaged.yaml"

  # The same file that `sam deploy` reads.
  parameters = { for name, value in yamldecode(file("${path.module}/../../parameters.yaml")) : name => tostring(value) }
}

resource "aws_s3_object" "template" {
  bucket = var.packages_bucket
  key    = "${var.stack_name}/${filemd5(local.template)}.yaml" # another template is another URL, and so an update
  source = local.template
}

resource "aws_cloudformation_stack" "dailies" {
  name         = var.stack_name
  template_url = "https://${aws_s3_object.template.bucket}.s3.amazonaws.com/${aws_s3_object.template.key}"
  parameters   = local.parameters
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"] # its roles; SAM's transform, which is a macro
}

resource "aws_cloudwatch_event_rule" "settled" {
  name           = "${var.stack_name}-job-settled"
  event_bus_name = aws_cloudformation_stack.dailies.outputs["BusName"]
  event_pattern  = jsonencode({ source = ["dailies"], detail-type = ["Job Settled"] })
}

resource "aws_cloudwatch_event_target" "queue" {
  rule           = aws_cloudwatch_event_rule.settled.name
  event_bus_name = aws_cloudwatch_event_rule.settled.event_bus_name
  arn            = aws_sqs_queue.settled.arn
}

resource "aws_sqs_queue" "settled" {
  name                    = "${var.stack_name}-settled"
  sqs_managed_sse_enabled = true
}

resource "aws_sqs_queue_policy" "settled" {
  queue_url = aws_sqs_queue.settled.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.settled.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.settled.arn } }
    }]
  })
}

output "webhook_base_url" {
  description = "What the webhooks' paths are added to."
  value       = aws_cloudformation_stack.dailies.outputs["WebhookBaseUrl"]
}
