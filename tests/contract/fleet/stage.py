"""Serves moto on a port of loopback with the world of the suite in it, says so in one line of JSON, and stays.

Usage: stage.py PORT REGION ALARM=STATE...
"""

import datetime
import json
import os
import pathlib
import sys
import threading

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "local-aws"))

port, region, *alarms = sys.argv[1:]
os.environ |= {"AWS_REGION": region, "MOTO_PORT": port}

from localaws import acls, interfaces, pages  # noqa: E402
from localaws.cbor import speaking_cbor  # noqa: E402

# Subnets and their ACLs as EC2 has them; moto has them otherwise.
for module in (pages, acls, interfaces):
    module.install()
access = {
    "endpoint_url": f"http://127.0.0.1:{port}",
    "region_name": region,
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
application = speaking_cbor(
    DomainDispatcherApplication(create_backend_app), boto3.client("cloudwatch", **access)
)
server = make_server("127.0.0.1", int(port), application, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()

ec2 = boto3.client("ec2", **access)
autoscaling = boto3.client("autoscaling", **access)
cloudwatch = boto3.client("cloudwatch", **access)

image = ec2.describe_images()["Images"][0]["ImageId"]


def launch(count, service, **where):
    tags = [{"Key": "Service", "Value": service}, {"Key": "StormdrillReady", "Value": "staging"}]
    run = ec2.run_instances(
        ImageId=image,
        MinCount=count,
        MaxCount=count,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        **where,
    )
    return [instance["InstanceId"] for instance in run["Instances"]]


orders = launch(3, "orders")
launch(1, "orders-2")

vpc = ec2.create_vpc(CidrBlock="10.83.0.0/16")["Vpc"]["VpcId"]


def subnet(zone, block, service):
    tags = [{"Key": "Service", "Value": service}, {"Key": "StormdrillReady", "Value": "staging"}]
    made = ec2.create_subnet(
        VpcId=vpc,
        AvailabilityZone=f"{region}{zone}",
        CidrBlock=block,
        TagSpecifications=[{"ResourceType": "subnet", "Tags": tags}],
    )
    return made["Subnet"]["SubnetId"]


subnets = [subnet("a", "10.83.1.0/24", "orders"), subnet("b", "10.83.2.0/24", "orders-2")]
[inside] = launch(1, "inside", SubnetId=subnets[0])

group = "orders-group"
autoscaling.create_launch_configuration(LaunchConfigurationName="one", ImageId=image, InstanceType="t3.micro")
autoscaling.create_auto_scaling_group(
    AutoScalingGroupName=group,
    LaunchConfigurationName="one",
    MinSize=2,
    MaxSize=2,
    DesiredCapacity=2,
    AvailabilityZones=[f"{region}a"],
)

minute = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0) - datetime.timedelta(minutes=3)
cloudwatch.put_metric_data(
    Namespace="Orders",
    MetricData=[
        {
            "MetricName": "Latency",
            "Dimensions": [{"Name": "Service", "Value": "orders"}],
            "Timestamp": minute + datetime.timedelta(seconds=value),
            "Value": float(value),
        }
        for value in range(0, 60, 10)
    ],
)

for alarm in alarms:
    name, state = alarm.split("=")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Orders",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="the suite")

print(json.dumps({"orders": orders, "group": group, "subnets": subnets, "inside": inside, "minute": int(minute.timestamp())}), flush=True)
# Until it is killed, or nobody is there to read what it says.
sys.stdin.read()
server.shutdown()
