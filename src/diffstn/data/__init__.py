"""Data sets, their facts, and the batches that models train on.

Import what you need from its own module, so that nothing heavy loads before it is used:
`diffstn.data.modules` holds the LightningDataModules (`upright.UprightData`,
`distorted.DistortedData`, `streamed.StreamedImages`, …), `diffstn.data.sources` reads images,
`diffstn.data.distortions` says how they are distorted, and `diffstn.data.facts` what a model must
know of its data.
"""
