output "stack_id" {
  description = "ARN of the stack."
  value       = aws_cloudformation_stack.this.id
}

output "outputs" {
  description = "Outputs of the stack, under the names that template.yaml gives them."
  value       = aws_cloudformation_stack.this.outputs
}
