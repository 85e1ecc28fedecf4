"""The services of `benchmarks.apps.services` written by hand on bare ASGI: the same models, sessions and answers.

What is validated there is validated here, with pydantic-core; what runs in a worker thread there runs in one here, in a
single hop; what is closed after the answer there is closed then here, too.
"""
