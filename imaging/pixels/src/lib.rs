//! Pixels: decoding, windowing and writing as PNG or JPEG.
