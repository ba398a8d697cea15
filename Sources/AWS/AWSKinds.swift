package import Contracts

/// Everything this module adds to the tool.
package enum AWSKinds {
    package static let registry = Registry(
        faults: [
            AuroraFailoverFault.self, GlobalSwitchoverFault.self, GlobalFailoverFault.self, RDSRebootFault.self,
            AuroraStopFault.self, ElastiCacheFailoverFault.self, EC2StopFault.self, EC2RebootFault.self,
            EC2TerminateFault.self, ECSStopTaskFault.self, Route53WeightFault.self, Route53HealthCheckFault.self,
            ZonalShiftFault.self, RoutingControlFault.self, SecurityGroupIsolateFault.self,
            NetworkACLIsolateFault.self, FISExperimentFault.self, SSMRunCommandFault.self,
        ],
        probes: [
            AuroraClusterProbe.self, AWSEventsProbe.self, CloudWatchAlarmProbe.self, ReplicationGroupProbe.self,
            EC2InstanceProbe.self,
        ],
        targetSources: [AWSTargetSource.self], scanners: [AWSLeftovers()])
}
