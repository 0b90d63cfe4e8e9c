"""The protocol that newer SDKs speak to CloudWatch and that moto does not: RPC v2 with CBOR.

A request to `/service/<name>/operation/<operation>` is read, made once more of the same server in a protocol that moto
knows, and its answer written as CBOR. Every other request passes.
"""

import re

from botocore import parsers, serialize, xform_name
from botocore.exceptions import ClientError

PATH = re.compile(r"^/service/GraniteServiceVersion20100801/operation/(\w+)$")
HEADERS = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]


def speaking_cbor(application, client):
    """A WSGI application that also answers RPC v2. `client` is boto3's of CloudWatch, for this same server."""
    model = client.meta.service_model
    reader = parsers.RpcV2CBORParser()
    writer = serialize.RpcV2CBORSerializer()

    def written(value, shape):
        body = bytearray()
        writer._serialize_data_item(body, value, shape)
        return bytes(body)

    def text(value):
        encoded = value.encode()
        return b"\x79" + len(encoded).to_bytes(2, "big") + encoded

    def answer(environ, start_response):
        asked = PATH.match(environ.get("PATH_INFO", ""))
        if not asked:
            return application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        parameters = reader.parse_data_item(reader.get_peekable_stream_from_bytes(body)) if body else {}
        operation = asked[1]
        try:
            said = getattr(client, xform_name(operation))(**parameters)
        except ClientError as error:
            problem = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            pairs = [("__type", problem["Code"]), ("message", problem["Message"])]
            body = bytes([0xA0 + len(pairs)]) + b"".join(text(part) for pair in pairs for part in pair)
            start_response(f"{status} Refused", [*HEADERS, ("content-length", str(len(body)))])
            return [body]
        said.pop("ResponseMetadata")
        shape = model.operation_model(operation).output_shape
        known = {name: value for name, value in said.items() if name in shape.members}
        body = written(known, shape)
        start_response("200 OK", [*HEADERS, ("content-length", str(len(body)))])
        return [body]

    return answer
