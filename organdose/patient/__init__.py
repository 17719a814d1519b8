"""The patient as radiation meets him: voxels of tissue from the CT, its contrast medium and the couch."""
