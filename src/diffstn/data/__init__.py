"""Images in memory, distorted a batch at a time on the device that trains on them.

Import what you need from its own module, so that nothing heavy loads before it is used:
`diffstn.data.modules.upright.UprightData` and `diffstn.data.modules.distorted.DistortedData` are the two
LightningDataModules, `diffstn.data.sources.mnist` and `diffstn.data.sources.cifar10` read the images, and
`diffstn.data.distortions` says how they are distorted.
"""
