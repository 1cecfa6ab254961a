// Callers of the system, for k6: bench/cluster.py runs this. SCENARIO is "rest" (generations through the gateway) or
// "grpc" (cut-outs, straight from the segmentation service, as other services ask for them).
import { check } from "k6";
import encoding from "k6/encoding";
import http from "k6/http";
import grpc from "k6/net/grpc";

const photo = open(__ENV.PHOTO, "b");
const client = new grpc.Client();

export const options = {
  thresholds: { checks: ["rate>0.99"], iteration_duration: [`p(95)<${__ENV.P95_MS || 60000}`] },
  summaryTrendStats: ["med", "p(95)"],
};

export function setup() {
  if (__ENV.SCENARIO !== "rest") {
    return {};
  }
  const upload = http.post(`${__ENV.GATEWAY}/api/upload-image`, { product_image: http.file(photo, "photo.jpg") });
  return upload.json();
}

export default function (upload) {
  return __ENV.SCENARIO === "rest" ? generate(upload) : cutOut();
}

function generate(upload) {
  const answer = http.post(
    `${__ENV.GATEWAY}/api/generate-product`,
    {
      product_name: "TrailMate",
      product_describe: "Keeps cold for a day.",
      target_audience: "女性,25-34,戶外旅遊",
      product_image_filename: upload.filename,
      timestamp: upload.timestamp,
    },
    { timeout: "120s" },
  );
  check(answer, { made: (it) => it.status === 200 && it.json("generated_images").length === 3 });
}

function cutOut() {
  if (__ITER === 0) {
    client.connect(__ENV.SEGMENTATION, { plaintext: true, reflect: true, maxReceiveSize: 64 * 1024 * 1024 });
  }
  const answer = client.invoke(
    "productimage.segmentation.v1.SegmentationService/CutOut",
    { photo: { encoded: encoding.b64encode(photo) }, encoding: "IMAGE_ENCODING_PNG" },
    { timeout: "120s" },
  );
  check(answer, { cut: (it) => it.status === grpc.StatusOK && it.message.cutout !== null });
}
