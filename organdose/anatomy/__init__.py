"""The body: organ vocabulary, tissues from Hounsfield units, masks, stylised phantoms."""
