internal import AWS
internal import Basics
internal import Checkers
internal import Contracts
internal import Docker
internal import Experiment
internal import HTTP
internal import Network
internal import Postgres
internal import Process
internal import Redis
internal import Web

/// Every kind of every module: the one place that joins systems and controller.
func standardRegistry() -> Registry {
    var registry = Registry()
    registry.add(DockerKinds.registry)
    registry.add(ProcessKinds.registry)
    registry.add(NetworkKinds.registry)
    registry.add(PostgresKinds.registry)
    registry.add(RedisKinds.registry)
    registry.add(AWSKinds.registry)
    registry.add(WebKinds.registry)
    registry.add(CheckerKinds.registry)
    return registry
}
