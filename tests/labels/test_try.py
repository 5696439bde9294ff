import sys
from tests.labels.story import *
from tests.labels.serving import served
from playwright.sync_api import sync_playwright
def named(event):
    if "ilmd" in event: event["ilmd"]["cbvmda:descriptionShort"]="Risotto Rice with Mushrooms, 200 g"
    return event
def test_it(postgres_dsn, tmp_path):
    s = make_story(postgres_dsn, tmp_path/"ledger")
    s.tell(change=named)
    with served(tmp_path, postgres_dsn) as url, sync_playwright() as p:
        b=p.chromium.launch(executable_path="/usr/bin/chromium", args="--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split())
        l=s.labels[0]; good=f"{url}{l.path}?s={l.digits}&17=270630"
        bad=good.replace("/21/","/21/X")
        for name,u,full in [("good",good,True),("problem",bad,True),("unsigned",url+l.path,True),("lot",f"{url}/01/{GTIN}",True),("start",url+"/",False),("mistake",url+"/01/09506000134353/21/A1",False)]:
            for scheme in ("light","dark"):
                for dev,(w,h) in {"phone":(375,760),"desk":(1000,900)}.items():
                    if name!="good" and (scheme,dev) not in (("light","phone"),("dark","desk")): continue
                    c=b.new_context(viewport={"width":w,"height":h}, color_scheme=scheme, device_scale_factor=2 if dev=="phone" else 1)
                    g=c.new_page(); msgs=[]
                    g.on("console", lambda m: msgs.append(m.text)); g.on("pageerror", lambda e: msgs.append(str(e)))
                    g.goto(u); 
                    g.screenshot(path=f"/tmp/shots/{name}-{dev}-{scheme}.png", full_page=full)
                    print(name,dev,scheme,msgs, g.evaluate("[document.documentElement.scrollWidth, innerWidth]"))
                    c.close()
        b.close()
    s.world.close()
