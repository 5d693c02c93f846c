# Deploys the release archive as a CloudFormation stack. CloudFormation reads code and large templates only from S3, so the
# module uploads the two functions and the template to a bucket.

locals {
  archive   = coalesce(var.archive, "${path.module}/..")
  functions = toset(["AssociateFunction", "FileFunction"])
  template  = file("${local.archive}/template.yaml")

  # In the archive, CodeUri is a file. Here it is the uploaded object.
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

# The key contains a hash of the content, so that CloudFormation detects a new version. The old object is deleted only after
# the update of the stack: CloudFormation needs it to roll back an update that fails.
resource "aws_s3_object" "function" {
  for_each = local.functions

  bucket = var.bucket
  key    = "${var.name}/${each.key}-${filesha256("${local.archive}/${each.key}.zip")}.zip"
  source = "${local.archive}/${each.key}.zip"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_s3_object" "template" {
  bucket  = var.bucket
  key     = "${var.name}/template-${sha256(local.deployed_template)}.yaml"
  content = local.deployed_template

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudformation_stack" "this" {
  name         = var.name
  template_url = "https://${data.aws_s3_bucket.artifacts.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  parameters   = var.parameters
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  tags         = var.tags
}
