"""The lab's cloud: endpoints that clients of AWS accept, on one port of this machine.

A gate checks the signature and the rights of every call as AWS does, answers what the drills need with AWS's
intermediate states, and leaves the rest to moto. Nothing here talks to AWS, and no credential in it is a secret.
"""

import os

# A thousand machine images that no drill asks for, and a third of the start.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
