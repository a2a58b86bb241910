"""What is not sent: words that the operator blocks, and what a moderation service finds."""
