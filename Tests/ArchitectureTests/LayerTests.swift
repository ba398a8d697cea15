import Testing

/// The layers of DESIGN, executed: a rule that nothing checks does not survive its first hurried commit.
@Suite struct LayerTests {
    let tree: SourceTree
    let layers: Layers

    init() throws {
        tree = try SourceTree()
        layers = Layers(manifest: tree.manifest)
    }

    @Test func theManifestIsUnderstood() {
        #expect(layers.order.first == "CLinux")
        #expect(layers.order.last == "squall")
        #expect(layers.dependencies["Journal"]?.contains("Contracts") == true)
        #expect(layers.dependencies["CLinux"] == [])
        #expect(Set(layers.order) == tree.modules)
        #expect(tree.imports.count > layers.order.count)
    }

    @Test func aModuleDependsOnlyOnModulesDeclaredAboveIt() throws {
        for (position, module) in layers.order.enumerated() {
            let below = Set(layers.order[..<position])
            let upward = layers.dependencies[module, default: []].intersection(layers.order).subtracting(below)
            #expect(upward.isEmpty, "\(module) depends on \(upward.sorted()), declared below it in Package.swift")
        }
    }

    @Test func aFileImportsOnlyWhatItsModuleDeclares() {
        let undeclared = tree.imports.filter {
            tree.modules.contains($0.module) && layers.dependencies[$0.file.module]?.contains($0.module) != true
        }
        #expect(undeclared.isEmpty, "declare the dependency in Package.swift or drop it: \(undeclared)")
    }

    @Test func whatDecidesKnowsNoSystem() {
        let systems: Set = ["HTTP", "Docker", "Network", "Postgres", "Redis", "Kafka", "AWS", "Process", "Web"]
        for module in ["Basics", "Experiment", "Contracts", "Journal", "Checkers", "Controller", "Report"] {
            let known = layers.dependencies[module, default: []].intersection(systems)
            #expect(known.isEmpty, "\(module) must not know \(known.sorted()); only squall joins them")
        }
    }

    @Test func aCLibraryHasOneWrapper() {
        let wrappers = [
            "CCurl": "HTTP", "CPostgres": "Postgres", "CHiredis": "Redis", "CRdKafka": "Kafka", "CNetlink": "Network",
            "CExpat": "AWS", "Yams": "Experiment", "ArgumentParser": "squall",
        ]
        let strays = tree.imports.filter { found in
            wrappers[found.module].map { $0 != found.file.module } ?? false
        }
        #expect(strays.isEmpty, "only the wrapper imports a library: \(strays)")
    }

    @Test func cTypesStayInsideTheirModule() {
        let exported = tree.imports.filter {
            $0.module.wholeMatch(of: #/C[A-Z]\w+/#) != nil && tree.modules.contains($0.module)
                && ["public", "package"].contains($0.access)
        }
        #expect(exported.isEmpty, "import a C module as internal: \(exported)")
    }
}
