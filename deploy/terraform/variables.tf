variable "name" {
  description = "Name of the stack, and of the folder in the bucket."
  type        = string
  default     = "queue-email-associations"
}

variable "bucket" {
  description = "Bucket in the Region of the stack that takes the functions and the template. The module does not make it."
  type        = string
}

variable "parameters" {
  description = "Parameters of the stack, under the names that template.yaml gives them. ConnectInstanceId is required."
  type        = map(string)

  validation {
    condition     = contains(keys(var.parameters), "ConnectInstanceId")
    error_message = "parameters must hold ConnectInstanceId, the identifier of the Amazon Connect instance."
  }
}

variable "archive" {
  description = "Folder of the unpacked release archive. By default it is the folder that holds this module, as in the archive."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of the stack, which CloudFormation passes on to its resources."
  type        = map(string)
  default     = {}
}
