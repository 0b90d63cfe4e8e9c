"""Network interfaces that are somebody else's: what a service puts into a subnet is there, and says whose it is.

Who cuts a subnet off finds what lies in it by its network interfaces. moto leaves out a load balancer's, and shows those
of NAT gateways and endpoints as anybody's.
"""

from moto.ec2 import models as ec2
from moto.ec2.models import EC2Backend
from moto.elbv2.models import ELBv2Backend

from . import ACCOUNT, REGION


def install():
    """From now on they are there, and say so."""
    _nat_gateways()
    _endpoints()
    _balancers()


def _belongs(interface, kind, requester, description):
    interface.interface_type, interface.description = kind, description
    interface.requester_managed, interface.requester_id, interface.status = True, requester, "in-use"


def _nat_gateways():
    create, delete = EC2Backend.create_nat_gateway, EC2Backend.delete_nat_gateway

    def create_nat_gateway(backend, *rest, **given):
        made = create(backend, *rest, **given)
        _belongs(made._eni, "nat_gateway", ACCOUNT, f"Interface for NAT Gateway {made.id}")
        return made

    def delete_nat_gateway(backend, nat_gateway_id):
        gone = delete(backend, nat_gateway_id)
        backend.enis.pop(gone._eni.id, None)
        return gone

    EC2Backend.create_nat_gateway, EC2Backend.delete_nat_gateway = create_nat_gateway, delete_nat_gateway


def _endpoints():
    create = EC2Backend.create_vpc_endpoint

    def create_vpc_endpoint(backend, *rest, **given):
        made = create(backend, *rest, **given)
        for one in made.network_interface_ids or []:
            _belongs(backend.enis[one], "vpc_endpoint", ACCOUNT, f"VPC Endpoint Interface {made.id}")
        return made

    EC2Backend.create_vpc_endpoint = create_vpc_endpoint


def _balancers():
    create, delete = ELBv2Backend.create_load_balancer, ELBv2Backend.delete_load_balancer

    def create_load_balancer(backend, *rest, **given):
        made = create(backend, *rest, **given)
        kind = "network_load_balancer" if made.type == "network" else "interface"
        for subnet in made.subnets:
            interface = backend.ec2_backend.create_network_interface(subnet, [])
            _belongs(interface, kind, "amazon-elb", _description(made.arn))
        return made

    def delete_load_balancer(backend, arn):
        delete(backend, arn)
        network = ec2.ec2_backends[ACCOUNT][REGION]
        for interface in list(network.enis.values()):
            if interface.description == _description(arn):
                del network.enis[interface.id]

    ELBv2Backend.create_load_balancer, ELBv2Backend.delete_load_balancer = create_load_balancer, delete_load_balancer


def _description(arn):
    return f"ELB {arn.partition(':loadbalancer/')[2]}"
