"""Pictures in memory, distorted a batch at a time on the device that trains on them.

Import what you need from its own module, so that nothing heavy loads before it is used:
`diffstn.data.upright.UprightData` and `diffstn.data.distorted.DistortedData` are the two
LightningDataModules, `diffstn.data.mnist` and `diffstn.data.cifar10` read the pictures, and
`diffstn.data.distortions` says how they are distorted.
"""
