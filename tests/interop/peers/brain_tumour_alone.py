"""What detect-tumor's own library says of pictures, without any server: a JSON list of the probabilities of each.

Usage: brain_tumour_alone.py PICTURE…
"""

import json
import sys

from detect_tumor import TumorDetector

detector = TumorDetector()
print(json.dumps([{str(name): part for name, part in detector.predict(path).probabilities.items()} for path in sys.argv[1:]]))
