variable "name" {
  description = "Name of the stack, and prefix of the objects in the bucket. At most 57 characters."
  type        = string
  default     = "queue-email-associations"

  # The template adds up to 7 characters to the names of rules, which EventBridge limits to 64.
  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,56}$", var.name))
    error_message = "name must start with a letter, contain only letters, digits and hyphens, and have at most 57 characters."
  }
}

variable "bucket" {
  description = "Name of an existing bucket in the Region of the stack, for the functions and the template."
  type        = string
}

variable "parameters" {
  description = "Parameters of the stack, under their names in template.yaml. ConnectInstanceId is required."
  type        = map(string)

  validation {
    condition     = contains(keys(var.parameters), "ConnectInstanceId")
    error_message = "parameters must contain ConnectInstanceId, the identifier of the Amazon Connect instance."
  }
}

variable "archive" {
  description = "Folder of the unpacked release archive. The default is the parent folder of this module, as in the archive."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of the stack, which CloudFormation passes on to its resources."
  type        = map(string)
  default     = {}
}
