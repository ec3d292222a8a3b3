"""Memory: what is forecast against what is allocated, and what waiting a policy of swapping costs.

Every module here that has a `rows` is run, in the order of their names.
"""
