"""What every process is made of: settings, server, channels, errors, logs, executor and the image codec.

Imports nothing of ours but the generated stubs.
"""
