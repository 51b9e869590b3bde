"""What a guardian does: transaction scripts that ask the law, tell the memory, and go through the gate.

No threads here.
"""
