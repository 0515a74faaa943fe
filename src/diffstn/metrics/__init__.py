"""What is measured: torchmetrics classes with small states that add up over batches and devices."""
