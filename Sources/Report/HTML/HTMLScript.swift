/// The report's script: crosshair and tooltips, zoom on the one time axis, the filter of the event log, and paper.
///
/// Everything can be read without it. It fetches nothing and takes all data from the document.
enum HTMLScript {
    static let text = #"""
        (()=>{'use strict';
        const $=(s,e=document)=>[...e.querySelectorAll(s)],areas=$('.area'),tip=document.getElementById('tip');
        const full=+document.body.dataset.width,zero=+document.body.dataset.zero;
        let a=0,b=full,drag=null;
        const sec=(ms,n)=>(ms<0?'\u2212':'+')+(Math.abs(ms)/1e3).toFixed(n)+' s';
        const round=ms=>ms===0?'0 s':(ms<0?'\u2212':'+')+parseFloat((Math.abs(ms)/1e3).toFixed(3))+' s';
        const steps=[1,2,5,10,20,50,100,200,500,1e3,2e3,5e3,1e4,2e4,3e4,6e4,12e4,3e5,6e5,12e5,18e5,36e5,72e5,144e5,288e5];
        const step=w=>steps.find(s=>s>=w)||Math.ceil(w/288e5)*288e5;
        const percent=x=>(x-a)/(b-a)*100+'%';
        const took=ms=>ms<1?(ms*1e3).toFixed(0)+' \u00b5s':ms<1e3?ms.toPrecision(3)+' ms':(ms/1e3).toPrecision(3)+' s';
        function draw(){
          const s=step((b-a)/8);
          for(const e of areas){
            const svg=e.querySelector('svg'),h=svg.viewBox.baseVal.height;
            svg.setAttribute('viewBox',`${a} 0 ${b-a} ${h}`);
            for(const c of e.querySelector('.captions').children){
              const from=+c.dataset.a;
              if('b' in c.dataset){const l=Math.max(from,a),r=Math.min(+c.dataset.b,b);c.style.left=percent(l);c.style.width=Math.max(0,(r-l)/(b-a)*100)+'%';c.hidden=r<=l}
              else{c.style.left=percent(from);c.hidden=from<a||from>b}
              c.style.display=c.hidden?'none':'';
            }
            const ticks=e.querySelector('.ticks');ticks.textContent='';
            for(let k=Math.ceil((a-zero)/s);zero+k*s<=b;k++){
              const i=document.createElement('i'),t=document.createElement('b');
              i.style.left=percent(zero+k*s);if(k===0)i.className='zero';t.textContent=round(k*s);i.append(t);ticks.append(i);
            }
          }
          for(const x of $('.tools button'))x.setAttribute('aria-pressed',Math.abs(+x.dataset.a-a)<1&&Math.abs(+x.dataset.b-b)<1);
        }
        function zoom(from,to){a=Math.max(0,Math.min(from,to));b=Math.min(full,Math.max(from,to));if(b-a<2){a=0;b=full}cursor(null);draw()}
        function cursor(x){
          for(const e of areas){
            let c=e.querySelector('.cursor');
            if(x===null||x<a||x>b){if(c)c.remove();continue}
            if(!c){c=document.createElement('div');c.className='cursor';e.append(c)}
            c.style.left=percent(x);
          }
        }
        const sets=new Map();
        function points(figure){
          if(!sets.has(figure))sets.set(figure,$('path.points',figure).map(p=>{
            let x=0,y=0;const at=[];
            for(const m of p.getAttribute('d').matchAll(/m(-?\d+) (-?\d+)([hv])(\d+)/g)){const l=m[3]==='v'?+m[4]:0;x+=+m[1];y+=+m[2];at.push([x,y+l/2]);y+=l}
            return{name:p.dataset.name,at}}));
          return sets.get(figure);
        }
        function nearest(figure,x,py,w){
          const[from,to,h]=JSON.parse(figure.dataset.set);let best=144,text='';
          for(const g of points(figure))for(const[px,y]of g.at){
            const dx=(px-x)/(b-a)*w,dy=y/10-py,d=dx*dx+dy*dy;
            if(d<best){best=d;const share=1-(y/10-1)/(h/10-2);
              text=`${g.name}\ndue ${sec(px-zero,3)}, took ${took(from*Math.pow(to/from,share))}`}
          }
          return text;
        }
        function bins(figure,x){
          const d=JSON.parse(figure.dataset.set),i=Math.floor(x/d.width),v=d.bins[i];
          return v?`${sec(i*d.width-zero,0)} to ${sec((i+1)*d.width-zero,0)}\nok ${v[0]}, unknown ${v[1]}, failed ${v[2]}`:'';
        }
        function show(e,text){
          tip.textContent=text;tip.hidden=!text;if(!text)return;
          const r=tip.getBoundingClientRect();
          tip.style.left=Math.max(4,Math.min(e.clientX+14,innerWidth-r.width-8))+'px';
          tip.style.top=(e.clientY+18+r.height>innerHeight?e.clientY-r.height-12:e.clientY+18)+'px';
        }
        function place(area,e){const r=area.getBoundingClientRect();return{x:a+(b-a)*Math.min(1,Math.max(0,(e.clientX-r.left)/r.width)),y:e.clientY-r.top,w:r.width}}
        for(const area of areas){
          const figure=area.closest('figure');
          area.addEventListener('pointermove',e=>{
            const p=place(area,e);cursor(p.x);
            if(drag){select(drag.x,p.x);return show(e,`${sec(Math.min(drag.x,p.x)-zero,2)} to ${sec(Math.max(drag.x,p.x)-zero,2)}`)}
            const own=e.target.closest('[data-tip]'),kind=figure.dataset.kind;
            const text=own?own.dataset.tip:kind==='points'?nearest(figure,p.x,p.y,p.w):kind==='bins'?bins(figure,p.x):'';
            show(e,text||sec(p.x-zero,2));
          });
          area.addEventListener('pointerleave',e=>{if(!drag){cursor(null);show(e,'')}});
          area.addEventListener('pointerdown',e=>{if(e.button===0&&e.pointerType!=='touch'){drag={x:place(area,e).x};area.setPointerCapture(e.pointerId);e.preventDefault()}});
          area.addEventListener('pointerup',e=>{
            if(!drag)return;const x=place(area,e).x,from=drag.x;drag=null;select(null);show(e,'');
            if(Math.abs(x-from)/(b-a)>.006)zoom(from,x);
          });
          area.addEventListener('dblclick',()=>zoom(0,full));
        }
        function select(from,to){
          $('.selection').forEach(s=>s.remove());if(from===null)return;
          for(const e of areas){const s=document.createElement('div');s.className='selection';s.style.left=percent(Math.min(from,to));s.style.width=Math.abs(to-from)/(b-a)*100+'%';e.append(s)}
        }
        for(const x of $('.tools button'))x.addEventListener('click',()=>zoom(+x.dataset.a,+x.dataset.b));
        addEventListener('keydown',e=>{if(e.key==='Escape')zoom(0,full)});
        const filter=document.getElementById('filter'),topic=document.getElementById('topic'),rows=$('.events tbody tr');
        function sift(){
          const words=filter.value.toLowerCase().split(/\s+/).filter(Boolean);let n=0;
          for(const r of rows){const t=r.textContent.toLowerCase();
            const on=(!topic.value||(topic.value==='!'?r.className!=='info':r.dataset.topic===topic.value))&&words.every(w=>t.includes(w));
            r.hidden=!on;n+=on}
          document.getElementById('shown').textContent=n===rows.length?`${n} entries`:`${n} of ${rows.length} entries`;
        }
        if(filter){filter.addEventListener('input',sift);topic.addEventListener('change',sift);sift();
          for(const r of rows)r.addEventListener('click',()=>{const x=+r.dataset.x;if(x<a||x>b)zoom(0,full);cursor(x);document.getElementById('charts').scrollIntoView({behavior:'smooth'})})}
        let opened=[];
        addEventListener('beforeprint',()=>{zoom(0,full);opened=$('details.print:not([open])');opened.forEach(d=>d.open=true)});
        addEventListener('afterprint',()=>opened.forEach(d=>d.open=false));
        draw();
        })();
        """#
}
