"""Train a model: python train.py model=diff_in_stn data=affine_mnist schedule=cosine."""

import sys

from diffstn.cli.train import train_command

if __name__ == "__main__":
    sys.exit(train_command())
