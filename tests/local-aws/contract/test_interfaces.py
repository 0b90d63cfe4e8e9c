"""What services put into a subnet is seen there, with whose it is, until it is gone."""

import pytest
from test_acls import subnet


@pytest.fixture(scope="module")
def vpc(aws):
    return aws.client("ec2").create_vpc(CidrBlock="10.220.0.0/16")["Vpc"]


def inside(ec2, subnet):
    """What lies in a subnet."""
    wanted = [{"Name": "subnet-id", "Values": [subnet]}]
    found = ec2.describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]
    return [(one["InterfaceType"], one["Description"], one["RequesterManaged"]) for one in found]


def test_a_nat_gateway(aws, vpc):
    ec2, place = aws.client("ec2"), subnet(aws.client("ec2"), vpc, 1)
    made = ec2.create_nat_gateway(SubnetId=place, ConnectivityType="private")["NatGateway"]["NatGatewayId"]

    found = inside(ec2, place)
    ec2.delete_nat_gateway(NatGatewayId=made)

    assert found == [("nat_gateway", f"Interface for NAT Gateway {made}", True)]
    assert inside(ec2, place) == []


def test_an_endpoint(aws, vpc):
    ec2, place = aws.client("ec2"), subnet(aws.client("ec2"), vpc, 2)
    asked = {"VpcEndpointType": "Interface", "ServiceName": "com.amazonaws.us-east-1.ssm", "SubnetIds": [place]}
    made = ec2.create_vpc_endpoint(VpcId=vpc["VpcId"], **asked)["VpcEndpoint"]["VpcEndpointId"]

    found = inside(ec2, place)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made])

    assert found == [("vpc_endpoint", f"VPC Endpoint Interface {made}", True)]
    assert inside(ec2, place) == []


@pytest.mark.parametrize(
    ("kind", "shown"), [("application", "interface"), ("network", "network_load_balancer")], ids=str
)
def test_a_load_balancer(aws, vpc, kind, shown):
    ec2, balancers = aws.client("ec2"), aws.client("elbv2")
    number = 10 if kind == "network" else 12
    places = [subnet(ec2, vpc, number + each, f"us-east-1{zone}") for each, zone in enumerate("ab")]
    made = balancers.create_load_balancer(Name=f"a-{kind}", Type=kind, Subnets=places)["LoadBalancers"][0]
    name = made["LoadBalancerArn"].partition(":loadbalancer/")[2]

    found = [inside(ec2, place) for place in places]
    balancers.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])

    assert found == [[(shown, f"ELB {name}", True)]] * 2
    assert [inside(ec2, place) for place in places] == [[], []]
