# Deploys the release archive as a CloudFormation stack. The module uploads the two functions and the template to a
# bucket, because a template with code cannot be given to CloudFormation in any other way.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

locals {
  archive   = coalesce(var.archive, "${path.module}/..")
  functions = toset(["AssociateFunction", "FileFunction"])
  template  = file("${local.archive}/template.yaml")

  # CodeUri names a file of the archive. Here it names the uploaded object instead.
  deployed_template = replace(
    replace(
      local.template,
      "CodeUri: AssociateFunction.zip",
      "CodeUri: s3://${var.bucket}/${aws_s3_object.function["AssociateFunction"].key}"
    ),
    "CodeUri: FileFunction.zip",
    "CodeUri: s3://${var.bucket}/${aws_s3_object.function["FileFunction"].key}"
  )
}

data "aws_s3_bucket" "artifacts" {
  bucket = var.bucket
}

# The key holds the content's hash, so that CloudFormation sees a new version as a change.
resource "aws_s3_object" "function" {
  for_each = local.functions

  bucket = var.bucket
  key    = "${var.name}/${each.key}-${filesha256("${local.archive}/${each.key}.zip")}.zip"
  source = "${local.archive}/${each.key}.zip"
}

resource "aws_s3_object" "template" {
  bucket  = var.bucket
  key     = "${var.name}/template-${sha256(local.deployed_template)}.yaml"
  content = local.deployed_template
}

resource "aws_cloudformation_stack" "this" {
  name         = var.name
  template_url = "https://${data.aws_s3_bucket.artifacts.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  parameters   = var.parameters
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  tags         = var.tags
}
