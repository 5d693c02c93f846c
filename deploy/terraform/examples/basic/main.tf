terraform {
  required_version = ">= 1.5, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0, < 7.0"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

module "queue_email_associations" {
  source = "../.."
  bucket = "my-artifacts"

  parameters = {
    ConnectInstanceId = "11111111-2222-3333-4444-555555555555"
    AlarmEmail        = "operations@brand.example"
  }
}

output "source_queue_url" {
  description = "Queue for association requests."
  value       = module.queue_email_associations.outputs["SourceQueueUrl"]
}
