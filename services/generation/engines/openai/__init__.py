"""Engines that speak OpenAI's API: its language models, directly or on Bedrock, and every server of pictures."""
