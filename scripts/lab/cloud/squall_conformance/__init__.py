"""Whether clients that are not ours accept the lab's cloud: boto3 and the AWS CLI, every operation, every refusal.

Values are asserted, not mere success: an answer without its result's wrapper is read as an empty one, silently.
"""
