"""What published clients say to a MISP, call by call, and what each of them reads in the answers.

One file a client. Its docstring names where the client is published; the calls, their headers and their
bodies are the client's, written down anew. A field that a client takes as text has to be text here too:
`reading` is as strict as the strictest of them. The tests are in `e2e/test_other_clients.py`.
"""
