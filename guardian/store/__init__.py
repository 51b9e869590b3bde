"""The memory: what must survive, in readable SQL. One process, one writer.

Every change of a post is one transaction.
"""
