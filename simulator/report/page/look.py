"""The page's style and its few lines of script: sorting tables. Nothing comes from elsewhere."""

from __future__ import annotations

from typing import Final

COLOURS: Final = {
    "today": "#767676", "grey": "#767676", "push": "#D55E00", "fix": "#0072B2", "other": "#009E73",
    "more": "#AA4A86", "up": "#56B4E9", "down": "#E69F00",
}  # fmt: skip

STYLE: Final = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:#1c1c1c;
 font:16px/1.5 system-ui,"Segoe UI",Roboto,Arial,sans-serif}
main,header,footer{max-width:1040px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:1.65rem;line-height:1.25;margin:0 0 8px}
h2{font-size:1.15rem;line-height:1.3;margin:0 0 4px}
section{border-top:1px solid #ddd;padding:22px 0 16px}
p{margin:0 0 8px}
.heading,.source{color:#555;font-size:.9em}
.source{font-size:.78em;margin-top:8px}
svg.chart{width:100%;height:auto;display:block;margin-top:8px}
svg.chart text{font:14px system-ui,"Segoe UI",Roboto,Arial,sans-serif;fill:#1c1c1c}
svg.chart text.tick{fill:#555}
.grid{stroke:#e3e3e3}.zero{stroke:#767676}.join{stroke:#767676}
.line{fill:none;stroke-width:3}.dashed{stroke-dasharray:7 5;stroke-width:2}
.band{opacity:.2}.spot{fill:transparent}.spot:hover{fill:#1c1c1c33}
.whisker{stroke:#1c1c1c;stroke-width:1.75;fill:none}
.scroll{overflow-x:auto;margin-top:8px}
.scroll:focus-visible,summary:focus-visible,a:focus-visible{
 outline:3px solid #0072B2;outline-offset:2px}
.wide svg.chart{min-width:600px}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;padding:5px 8px;border-bottom:1px solid #ddd;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th button{all:unset;cursor:pointer;font-weight:600}
th button::after{content:" \\2195";color:#777}
th[aria-sort=ascending] button::after{content:" \\2191"}
th[aria-sort=descending] button::after{content:" \\2193"}
th button:focus-visible{outline:3px solid #0072B2}
details{margin-top:8px;font-size:.9rem}summary{cursor:pointer}
img{max-width:100%;height:auto}
footer{color:#555;font-size:.8rem;padding-bottom:28px}
.skip{position:absolute;left:-9999px}.skip:focus{left:8px;top:8px;background:#fff;padding:6px}
@media(max-width:600px){h1{font-size:1.35rem}}
@media print{
 @page{size:A4;margin:11mm}
 body{font-size:9.5px;line-height:1.35}main,header,footer{max-width:none;padding:0}header{padding:0}
 h1{font-size:16px}h2{font-size:11.5px}section{break-inside:avoid;padding:6px 0 4px}
 main{columns:2;column-gap:8mm}section.full{column-span:all}
 svg.chart{max-height:58mm}.wide svg.chart{min-width:0}.scroll{overflow:visible}
 table{font-size:7.5px}th,td{padding:1px 3px}td.n,th.n{white-space:normal}
 details,footer,.skip,th button::after{display:none}.source{font-size:6.5px;margin:0}
 img{max-height:72mm}
 section.long{display:none}
}
""" + "".join(f".fill-{k}{{fill:{v}}}.stroke-{k}{{stroke:{v}}}\n" for k, v in COLOURS.items())

SCRIPT: Final = """
document.querySelectorAll('table.sorts').forEach(function(table){
  var body=table.tBodies[0];
  table.querySelectorAll('th button').forEach(function(button,c){
    button.addEventListener('click',function(){
      var head=button.parentNode,up=head.getAttribute('aria-sort')!=='ascending';
      table.querySelectorAll('th').forEach(function(th){th.removeAttribute('aria-sort')});
      head.setAttribute('aria-sort',up?'ascending':'descending');
      var key=function(row){var cell=row.cells[c],v=cell.getAttribute('data-value');
        return v===null?cell.textContent:parseFloat(v)};
      Array.from(body.rows).sort(function(a,b){
        var x=key(a),y=key(b),nx=typeof x==='number',ny=typeof y==='number';
        var d=nx&&ny?x-y:nx?-1:ny?1:x.localeCompare(y);
        return up?d:-d}).forEach(function(row){body.appendChild(row)});
    });
  });
});
"""
