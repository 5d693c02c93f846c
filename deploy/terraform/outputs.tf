output "stack_id" {
  description = "ARN of the stack."
  value       = aws_cloudformation_stack.this.id
}

output "outputs" {
  description = "Outputs of the stack, under their names in template.yaml."
  value       = aws_cloudformation_stack.this.outputs
}
