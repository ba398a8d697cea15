/// The report's style sheet: both colour schemes, any width from 360 pixels up, and paper.
enum HTMLStyle {
    static let text = colours + layout + tables + charts + paper

    private static let colours = """
        :root{color-scheme:light dark;--bg:#fff;--panel:#f6f8fa;--ink:#1b2128;--soft:#59636e;--line:#d8dee4;--grid:#8c959f2b;\
        --pass:#1a7f37;--fail:#cf222e;--inconclusive:#9a6700;--link:#0a5cad;\
        --ok:#3f8fd2;--unknown:#d98200;--failed:#d6006c;--band:#cf222e12;--effect:#cf222ecc;--stall:#57606a40;\
        --primary:#0b6bb8;--primary-ink:#fff;--replica:#b9d9f2;--replica-ink:#0b3f6b;--unreachable:#e4e8ec;--unreachable-ink:#6b7580;\
        --other:#f0d49a;--other-ink:#5c4300;--overlap:#e5002b33;--lost:#e5002b;--acks:#3f8fd2;--kept:#9fb3c6;\
        --phase0:#e7ecf1;--phase1:#d5dde5;--fault:#c9303c;--bar:#3f8fd2;\
        --n0:#0072b2;--n1:#d55e00;--n2:#009e73;--n3:#a8508c;--n4:#b07d00;--n5:#3f8fd2}
        @media (prefers-color-scheme:dark){:root{--bg:#0f1419;--panel:#161c23;--ink:#e4e9ee;--soft:#98a4b0;--line:#2b343e;--grid:#8c959f2e;\
        --pass:#3fb950;--fail:#ff6a69;--inconclusive:#d9a22b;--link:#6cb6ff;\
        --ok:#81bffc;--unknown:#ffa400;--failed:#ff4fa3;--band:#ff5c5c1f;--effect:#ff6a69cc;--stall:#aab4be40;\
        --primary:#58a6ff;--primary-ink:#04162b;--replica:#23445f;--replica-ink:#cfe6fb;--unreachable:#262d35;--unreachable-ink:#9aa5b1;\
        --other:#6b5420;--other-ink:#ffe9bd;--overlap:#ff3b5c44;--lost:#ff4d63;--acks:#81bffc;--kept:#5d7186;\
        --phase0:#232b34;--phase1:#2f3944;--fault:#d6515a;--bar:#58a6ff;\
        --n0:#56b4e9;--n1:#ff8c42;--n2:#2bc79a;--n3:#e29ac6;--n4:#f0c14b;--n5:#9fc9f3}}

        """

    private static let layout = """
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        main{max-width:1240px;margin:0 auto;padding:28px 28px 64px}
        h1{font-size:25px;line-height:1.25;margin:0 0 6px;letter-spacing:-.01em}
        h2{font-size:18px;margin:44px 0 10px;padding-bottom:6px;border-bottom:1px solid var(--line)}
        h3{font-size:15px;margin:0}
        p{margin:0 0 8px}
        code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13px}
        pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:10px 12px;margin:6px 0;overflow-x:auto}
        a{color:var(--link)}
        .soft,small{color:var(--soft)}
        .head{display:grid;grid-template-columns:auto 1fr;gap:4px 22px;align-items:start;border:1px solid var(--line);border-left:8px solid var(--v);border-radius:8px;padding:20px 24px;background:var(--panel)}
        .pass{--v:var(--pass)}.fail{--v:var(--fail)}.inconclusive{--v:var(--inconclusive)}
        .word{font-size:30px;font-weight:750;line-height:1.05;color:var(--v);letter-spacing:.01em;margin:1px 0 0}
        .word small{display:block;font-size:13px;font-weight:400;letter-spacing:0;margin-top:6px}
        .reason{font-size:17px;margin:0 0 4px}
        .facts{display:flex;flex-wrap:wrap;gap:2px 24px;margin:10px 0 0;grid-column:1/-1;border-top:1px solid var(--line);padding-top:10px}
        .facts div{display:flex;gap:7px;min-width:0}
        .facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
        .pill{display:inline-block;min-width:44px;text-align:center;padding:1px 9px;border-radius:99px;font-size:13px;font-weight:650;color:var(--v);border:1px solid var(--v);white-space:nowrap}
        .columns{display:grid;grid-template-columns:1fr 1fr;gap:0 40px}
        ul.plain{margin:0;padding-left:20px}
        ul.plain li{margin:2px 0}
        .note-box{border:1px solid var(--line);border-left:4px solid var(--v);border-radius:6px;background:var(--panel);padding:10px 14px;margin:8px 0}
        .bar-row{display:grid;grid-template-columns:130px 270px 84px 1fr;gap:0 12px;align-items:center;padding:4px 0;border-bottom:1px solid var(--line)}
        .bar-row>b{white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums}
        .bar-row .track{position:relative;height:18px;background:linear-gradient(90deg,var(--grid) 1px,transparent 1px) 0/25% 100%}
        .bar-row .track i{position:absolute;top:1px;bottom:1px;min-width:2px;background:var(--bar);border-radius:2px}
        .bar-row .track i.background{background:repeating-linear-gradient(90deg,var(--soft) 0 6px,transparent 6px 10px);top:8px;bottom:8px;border-radius:0}
        .bar-row small{font-size:13px}
        .bar-row.scale{border:0;color:var(--soft);font-size:12px}
        .bar-row.scale span{display:flex;justify-content:space-between;grid-column:4}
        .tools{position:sticky;top:0;z-index:5;display:flex;flex-wrap:wrap;gap:8px;align-items:center;background:var(--bg);padding:8px 0;border-bottom:1px solid var(--line)}
        button,input,select{font:inherit;color:inherit;background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:3px 11px}
        button{cursor:pointer}button:hover{border-color:var(--soft)}
        button[aria-pressed=true]{border-color:var(--link);color:var(--link)}
        #tip{position:fixed;z-index:9;pointer-events:none;max-width:380px;background:var(--ink);color:var(--bg);font-size:13px;line-height:1.4;padding:6px 10px;border-radius:6px;white-space:pre-line;overflow-wrap:anywhere}

        """

    private static let tables = """
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
        th,td{text-align:left;padding:6px 14px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
        thead th{font-size:12.5px;font-weight:600;color:var(--soft);white-space:nowrap}
        th.num,td.num{text-align:right}td.num{white-space:nowrap}
        .criteria td,.criteria th{border-bottom:0;padding-top:10px;padding-bottom:0}
        .criteria thead th{border-bottom:1px solid var(--line);padding-bottom:6px}
        .criteria tbody tr:last-child td{border-bottom:1px solid var(--line);padding:2px 14px 10px 0}
        .criteria thead th:first-child{width:120px}.faults td:nth-child(3){white-space:nowrap}
        .criteria .name{font-size:16px;font-weight:650;white-space:nowrap}
        .criteria .name small{font-weight:400;display:block;font-size:13px}
        .criteria .measured{font-size:20px;font-weight:700;line-height:1.2;white-space:nowrap}
        .criteria .fail .measured,.criteria .inconclusive .measured{color:var(--v)}
        .criteria .measured small{display:block;font-size:13px;font-weight:400}
        .criteria .limit{white-space:nowrap}
        .gauge{display:block;width:170px;height:22px;margin-top:3px}
        .gauge .track{fill:var(--line)}.gauge .value{fill:var(--v)}.gauge .bound{stroke:var(--ink);stroke-width:1.5;fill:none}
        .gauge .limit{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:3 2}
        details{margin:4px 0}
        summary{cursor:pointer;color:var(--link);width:fit-content}
        details table{width:auto;min-width:50%;margin:4px 0 6px}
        .events td{padding-top:3px;padding-bottom:3px}
        .events td:nth-child(-n+2){white-space:nowrap}
        .events tbody tr{cursor:pointer}
        .events tbody tr:hover{background:var(--panel)}
        .events .warning td:last-child{color:var(--inconclusive)}
        .events .error td:last-child{color:var(--fail);font-weight:600}
        .good{color:var(--pass)}.bad{color:var(--fail);font-weight:600}.warn{color:var(--inconclusive);font-weight:600}

        """

    private static let charts = """
        .chart{margin:22px 0 34px;break-inside:avoid}
        figcaption{padding-left:132px}
        figcaption p{color:var(--soft);font-size:13px;margin:0 0 5px}
        figcaption h3{display:inline-block;margin-right:14px}
        .legend{display:inline-flex;flex-wrap:wrap;gap:2px 13px;list-style:none;margin:0;padding:0;font-size:12.5px;color:var(--soft)}
        .legend li{display:flex;align-items:center;gap:5px}
        .legend i{display:inline-block;width:13px;height:10px;border-radius:2px;background:var(--c,var(--soft))}
        .legend .dot{width:8px;height:8px;border-radius:50%}.legend .square{width:8px;height:8px;border-radius:0}
        .legend .line{height:0;border-top:3px solid var(--c);background:none;border-radius:0}
        .ok{--c:var(--ok)}.unknown{--c:var(--unknown)}.failed{--c:var(--failed)}
        .primary{--c:var(--primary);--t:var(--primary-ink)}.replica{--c:var(--replica);--t:var(--replica-ink)}
        .unreachable{--c:var(--unreachable);--t:var(--unreachable-ink)}.other{--c:var(--other);--t:var(--other-ink)}.alive{--c:#7cc08f;--t:#0d3318}
        .legend .stall{--c:var(--stall)}.legend .band{--c:var(--band);outline:1px solid var(--effect);outline-offset:-1px}
        .legend .overlap{--c:var(--lost)}.legend .lost{--c:var(--lost)}.legend .acks{--c:var(--acks)}.legend .kept{--c:var(--kept)}
        .n0{--c:var(--n0)}.n1{--c:var(--n1)}.n2{--c:var(--n2)}.n3{--c:var(--n3)}.n4{--c:var(--n4)}.n5{--c:var(--n5)}
        .plot{display:grid;grid-template-columns:124px 1fr;gap:0 8px;padding-bottom:18px}
        .gutter{position:relative;font-size:12px;color:var(--soft)}
        .gutter span{position:absolute;right:0;max-width:100%;transform:translateY(-50%);white-space:nowrap;overflow:hidden;text-overflow:ellipsis;line-height:1.2}
        .area{position:relative;background:var(--panel);outline:1px solid var(--line);touch-action:pan-y;cursor:crosshair}
        .area svg{position:absolute;inset:0;width:100%;height:100%;display:block;z-index:1}
        .area path{vector-effect:non-scaling-stroke}
        .rule{stroke:var(--grid);fill:none}
        .band{fill:var(--band)}.effect{stroke:var(--effect);stroke-width:1px;fill:none}
        .stall{fill:var(--stall)}
        .points{fill:none;stroke:var(--c);stroke-width:3px;stroke-linecap:round}
        .points.ok{opacity:.6}.points.failed{stroke-linecap:butt;stroke-width:3.4px}.points.unknown{stroke-width:4px}
        .points.censored{stroke-width:3px;opacity:.75}
        path.line{fill:none;stroke:var(--c);stroke-width:1.6px;stroke-linejoin:round}
        .fill{fill:var(--c)}
        .state{fill:var(--c)}.acks{fill:var(--acks)}.kept{fill:var(--kept)}
        .overlap{fill:var(--overlap)}.both{fill:var(--lost)}
        path.lost{stroke:var(--lost);stroke-width:2.5px;fill:none}
        .phase.p0{fill:var(--phase0)}.phase.p1{fill:var(--phase1)}
        rect.fault{fill:var(--fault)}.injecting{fill:var(--fault);opacity:.5}
        .unproven{fill:none;stroke:var(--inconclusive);stroke-dasharray:4 3;vector-effect:non-scaling-stroke}
        .mark{stroke:var(--ink);stroke-width:1.5px;fill:none}
        path.note{stroke:var(--soft);stroke-width:3px;fill:none}path.note.warning{stroke:var(--inconclusive)}path.note.error{stroke:var(--fail)}
        .captions{position:absolute;inset:0;overflow:hidden;pointer-events:none;z-index:2}
        .captions span{position:absolute;display:flex;align-items:center;font-size:12px;white-space:nowrap;overflow:hidden;line-height:1}
        .captions .in{padding-left:5px;color:var(--t,var(--ink));flex-wrap:wrap;align-content:flex-start}
        .captions .in::before{content:"";width:1px;height:100%}
        .captions .in{line-height:18px}
        .captions .in.fault{color:#fff}
        .captions .at{padding-left:4px;overflow:visible;font-size:11.5px}
        .captions .lost{padding-left:7px;color:var(--lost);font-weight:700;overflow:visible}
        .ticks{position:absolute;inset:0;pointer-events:none}
        .ticks i{position:absolute;top:0;bottom:0;border-left:1px solid var(--grid)}
        .ticks b{position:absolute;top:100%;left:0;margin-top:3px;transform:translateX(-50%);font:12px/1 system-ui,sans-serif;color:var(--soft);font-variant-numeric:tabular-nums;white-space:nowrap}
        .ticks .zero b{color:var(--fail);font-weight:650}.no-fault .zero b{color:var(--soft);font-weight:400}
        .cursor{position:absolute;top:0;bottom:0;width:0;border-left:1px solid var(--ink);opacity:.55;pointer-events:none;z-index:3}
        .selection{position:absolute;top:0;bottom:0;background:var(--link);opacity:.18;pointer-events:none;z-index:3}
        @media (max-width:820px){thead th{white-space:normal}th,td{padding-right:9px}main{padding:16px 14px 48px}figcaption{padding-left:0}.plot{grid-template-columns:86px 1fr}.gutter{font-size:11px}\
        .head{grid-template-columns:1fr;padding:16px}.columns{grid-template-columns:1fr}.criteria .against{display:none}\
        .bar-row{grid-template-columns:112px 70px 1fr}.bar-row small{display:none}.bar-row.scale span{grid-column:3}.ticks i:nth-child(even) b{display:none}.events td:nth-child(2),.events th:nth-child(2){display:none}}

        """

    private static let paper = """
        @media print{:root{--bg:#fff;--panel:#fff;--ink:#111;--soft:#555;--line:#ccc;--grid:#8883;--pass:#1a7f37;--fail:#cf222e;--inconclusive:#9a6700;\
        --ok:#3f8fd2;--unknown:#d98200;--failed:#d6006c;--band:#cf222e14;--primary:#0b6bb8;--primary-ink:#fff;--replica:#b9d9f2;--replica-ink:#0b3f6b;\
        --unreachable:#e4e8ec;--unreachable-ink:#6b7580;--other:#f0d49a;--other-ink:#5c4300;--phase0:#e7ecf1;--phase1:#d5dde5;--fault:#c9303c;--acks:#3f8fd2;--kept:#9fb3c6}
        *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
        body{font-size:11.5px}main{max-width:none;padding:0}.tools,.filter,#tip{display:none!important}
        h2{margin-top:22px;break-after:avoid}.chart{margin:12px 0 20px}tr,.note-box,.bar-row{break-inside:avoid}
        .plot{grid-template-columns:92px 1fr}figcaption{padding-left:100px}.area{cursor:auto}
        details:not(.print){display:none}summary{color:var(--soft);list-style:none}
        .criteria tbody{break-inside:avoid}.scroll{overflow:visible}thead{display:table-row-group}
        @page{margin:14mm 12mm}}
        """
}
