internal import Basics

/// One chart: a heading with legend, labels of the y axis on the left, and a plot that stretches with the window.
///
/// The drawing lies in a view box of milliseconds by tenths of a pixel and is stretched sideways only; strokes do not
/// scale, so a point stays a point. Everything readable is HTML beside or above it and keeps its size on any width.
struct Chart {
    struct Key {
        var style: String
        var name: String
    }

    /// A text inside the plot, from one x to another (or at one), in milliseconds; `top` in pixels.
    struct Caption {
        var from: Double
        var to: Double?
        var top: Int
        var height: Int
        var text: String
        var style: String
    }

    var id: String
    var title: String
    /// What can be seen, in words: for readers who cannot see it, and for those who want the figures.
    var summary: String
    var keys: [Key] = []
    /// Pixels.
    var height: Int
    /// Labels of the y axis or of lanes: text and its middle in pixels from the top.
    var labels: [(text: String, y: Int)] = []
    /// Lines across the plot, in pixels from the top.
    var rules: [Int] = []
    var captions: [Caption] = []
    /// The SVG elements.
    var drawing = ""
    /// Data for the tooltip, JSON.
    var data = ""
    /// What kind of tooltip the script makes.
    var tooltip = ""

    func html(_ axis: TimeAxis, bands: String) -> String {
        let gutter = labels.map { "<span style=\"top:\($0.y)px\">\(Report.html($0.text))</span>" }.joined()
        let rules = self.rules.map {
            "<path class=\"rule\" d=\"M0 \($0 * 10)H\(coordinate(axis.width))\"/>"
        }.joined()
        let attributes =
            (tooltip.isEmpty ? "" : " data-kind=\"\(tooltip)\"")
            + (data.isEmpty ? "" : " data-set=\"\(Report.html(data))\"")
        return """
            <figure class="chart" id="\(Report.html(id))"\(attributes)>
            <figcaption><h3>\(Report.html(title))</h3>\(legend)<p>\(Report.html(summary))</p></figcaption>
            <div class="plot"><div class="gutter" style="height:\(height)px" aria-hidden="true">\(gutter)</div>
            <div class="area" style="height:\(height)px"><svg viewBox="0 0 \(coordinate(axis.width)) \(height * 10)" \
            preserveAspectRatio="none" role="img" aria-label="\(Report.html("\(title). \(summary)"))">
            \(bands.replacing("HEIGHT", with: String(height * 10)))\(rules)
            \(drawing)
            </svg><div class="captions">\(captions.map { caption($0, axis) }.joined())</div>\
            <div class="ticks" aria-hidden="true">\(axis.ticks)</div></div></div>
            </figure>

            """
    }

    private var legend: String {
        guard !keys.isEmpty else { return "" }
        let items = keys.map { "<li><i class=\"\($0.style)\"></i>\(Report.html($0.name))</li>" }.joined()
        return "<ul class=\"legend\">\(items)</ul>"
    }

    private func caption(_ caption: Caption, _ axis: TimeAxis) -> String {
        let end = caption.to.map { " data-b=\"\(coordinate($0))\"" } ?? ""
        let width = caption.to.map { ";width:\(axis.percent(max(0, $0 - caption.from)))" } ?? ""
        return "<span class=\"\(caption.style)\" data-a=\"\(coordinate(caption.from))\"\(end) style=\"left:"
            + "\(axis.percent(caption.from))\(width);top:\(caption.top)px;height:\(caption.height)px\">"
            + "\(Report.html(caption.text))</span>"
    }
}

/// Rectangles and lines in a chart's own units: milliseconds, and pixels from the top.
enum Shape {
    static func rectangle(
        _ style: String, from: Double, to: Double, top: Double, height: Double, tip: String = ""
    ) -> String {
        "<rect class=\"\(style)\" x=\"\(coordinate(from))\" y=\"\(coordinate(top * 10))\" width=\""
            + "\(coordinate(max(0, to - from)))\" height=\"\(coordinate(height * 10))\"\(attribute(tip))/>"
    }

    /// An upright line; its width does not scale.
    static func line(_ style: String, at x: Double, top: Double, height: Double, tip: String = "") -> String {
        "<path class=\"\(style)\" d=\"M\(coordinate(x)) \(coordinate(top * 10))v\(coordinate(height * 10))\"\(attribute(tip))/>"
    }

    private static func attribute(_ tip: String) -> String { tip.isEmpty ? "" : " data-tip=\"\(html(tip))\"" }

    /// One path of rectangles over those of `count` columns that are set, neighbours joined.
    static func columns(_ style: String, _ isSet: [Bool], width: Double, top: Double, height: Double) -> String {
        var path = ""
        var start: Int?
        let unit = width / Double(max(1, isSet.count))
        for index in 0...isSet.count {
            let on = index < isSet.count && isSet[index]
            if on, start == nil { start = index }
            if !on, let first = start {
                let x = coordinate(Double(first) * unit)
                path +=
                    "M\(x) \(coordinate(top * 10))H\(coordinate(Double(index) * unit))v\(coordinate(height * 10))H\(x)z"
                start = nil
            }
        }
        return path.isEmpty ? "" : "<path class=\"\(style)\" d=\"\(path)\"/>"
    }
}
