"""Train a model: python train.py model=diff_in_stn data=affine_mnist schedule=cosine."""

import sys

from diffstn.cli.main import run

if __name__ == "__main__":
    sys.exit(run("train"))
