"""What people of the agency call about and ask for, service by service.

A service is ``name | category | criticality | second line | partner``; then ``- topic: phrases``
for incidents and ``+ item: phrases`` for requests, phrases parted by ``/``.
"""

SERVICES = """
Remote Access | Network | 1 - most critical | Network Operations | Orbis Vendor Support
- tunnel drops: VPN drops every few minutes / connection to the tunnel is lost again and again
- no tunnel: cannot connect to VPN from home / remote gateway does not answer
- slow tunnel: VPN is very slow in the afternoon / file shares crawl over the tunnel
- token rejected: remote token rejected / the code for remote access is not accepted
- hotel network: VPN blocked in hotel wifi / no tunnel from a guest network
- client update: VPN client asks for an update and fails / update of the remote client hangs
+ remote access: remote access for a new colleague / VPN permission needed
+ spare token: second token for remote access / replacement for a lost token

Mail and Calendar | Collaboration | 2 - somewhat critical | Messaging Team | Orbis Vendor Support
- mail not sent: mails stay in the outbox / messages are not delivered
- mailbox full: mailbox full, nothing comes in / quota of the mailbox reached
- shared mailbox: shared mailbox missing in the list / no rights on the team mailbox
- calendar sync: calendar differs between phone and laptop / meetings vanish from the calendar
- search broken: search in mail finds nothing / old messages cannot be found
- room booking: meeting room cannot be booked / room accepts two meetings at once
+ shared mailbox: shared mailbox for a project / new team mailbox
+ distribution list: change of a distribution list / new mail list for a working group

Sign-in and Identity | Security | 1 - most critical | Identity Services | Workplace Support
- locked account: account locked after the weekend / user is locked out
- password expired: password expired and reset page refuses / cannot set a new password
- second factor: second factor never arrives / push approval does not appear
- card reader: smart card is not read / badge sign-in fails at the laptop
- role missing: role lost after moving to another bureau / permission group missing
- single sign-on: asked to sign in again in every application / single sign-on loops
+ role change: new role for a colleague / permissions after a change of post
+ smart card: new smart card / renewal of an expiring badge

Workplace Laptop | Hardware | 3 - less critical | Workplace Support | Halden Field Services
- slow start: laptop needs ten minutes to start / boot takes forever
- battery: battery empty after an hour / laptop dies when unplugged
- docking: docking station loses the screens / second monitor stays black at the dock
- blue screen: computer crashes with a blue screen / laptop restarts by itself
- keyboard: keys stick on the keyboard / some letters no longer work
- disk full: disk full, nothing can be saved / no free space on the laptop
+ new laptop: laptop for a new starter / replacement of an old laptop
+ monitor: larger monitor / additional screen for the office

Printing | Hardware | 4 - not critical | Print Services | Halden Field Services
- paper jam: paper jam in the floor printer / printer keeps jamming
- no printer: printer not found after the move / print queue is gone
- toner: pages come out pale / toner warning although it is new
- scan to mail: scans never arrive by mail / scan function reports an error
- badge release: badge does not release my jobs / follow-me printing shows no jobs
- colour: colour print comes out grey / colours are wrong on posters
+ plotter access: access to the large-format plotter / plotter rights
+ printer for bureau: new printer for the bureau / move of a printer

Telephony | Network | 2 - somewhat critical | Telephony Team | Orbis Vendor Support
- no ring: desk phone does not ring / calls go straight to voicemail
- bad sound: callers sound robotic / words are cut off in calls
- headset: headset is not recognised by the softphone / no sound in the headset
- hotline queue: hotline queue sends calls to nobody / waiting callers are dropped
- forwarding: call forwarding cannot be turned off / calls are forwarded to a former colleague
- voicemail: voicemail PIN refused / messages cannot be played
+ new number: phone number for a new desk / extension for a colleague
+ hotline change: new greeting for the hotline / opening hours of the hotline

Staff Portal | Application | 3 - less critical | HR Applications | Identity Services
- leave request: leave request cannot be submitted / approval of leave hangs
- payslip: payslip page stays empty / salary statement does not open
- personal data: change of address is not saved / bank details revert to old ones
- training record: completed training is missing / certificate not shown in the profile
- manager view: manager does not see the team / team list is out of date
- timeout portal: portal logs out while typing / session of the staff page ends early
+ deputy: deputy for approvals in the portal / approver during my leave
+ report: headcount report for a bureau / export of training records

Travel and Expenses | Application | 3 - less critical | Finance Applications | Orbis Vendor Support
- receipt upload: receipts cannot be uploaded / photo of a receipt is refused
- per diem: daily allowance is calculated wrongly / per diem for abroad missing
- trip approval: trip stays in approval for days / approver of the trip is unknown
- card statement: card charges do not appear / travel card entries are doubled
- booking tool: booking tool shows no trains / hotel search returns an error
- reimbursement: money for the trip not paid / reimbursement stuck
+ travel card: travel card for a new inspector / higher limit on the travel card
+ cost object: new cost object for trips / change of cost centre for travel

Case Management | Application | 1 - most critical | Case Systems | Data Platform
- case locked: case is locked by somebody who left / file is open elsewhere and blocked
- save error: error when saving a decision / decision text lost on save
- search cases: search for cases times out / case number not found
- attachments: attachments cannot be opened / documents in the case show an error page
- workflow stuck: case does not move to the next step / task missing in the worklist
- letters: letters are created with the wrong address / template prints old letterhead
+ new role: caseworker role for a colleague / role of a team lead in cases
+ template: change of a letter template / new text block

Records Archive | Application | 3 - less critical | Case Systems | Data Platform
- retrieval: archived file cannot be retrieved / retrieval takes days
- metadata: wrong metadata on filed records / retention date missing
- upload archive: upload to the archive aborts / large files are refused by the archive
- viewer: viewer shows blank pages / scanned pages upside down
- permissions archive: no access to the bureau archive / restricted records not visible
- duplicates: records filed twice / the same document appears many times
+ retention rule: new retention rule / change of a file plan
+ bulk scan: bulk scan of paper files / digitise a cabinet

Grants Portal | Application | 2 - somewhat critical | Finance Applications | Web Team
- applicant login: applicants cannot sign in / external account not activated
- form error: form reports a missing field that is filled / validation rejects valid dates
- budget table: budget table adds up wrongly / totals differ from the rows
- payment run: payment run stopped with an error / instalments not released
- notification: applicants get no confirmation / notice letters sent twice
- export grants: export of applications is empty / spreadsheet of grants has shifted columns
+ new call: set up a new funding call / extend the deadline of a call
+ reviewer: reviewer access / external reviewer account

Map and Geodata | Application | 3 - less critical | Data Platform | Web Team
- tiles: map stays grey / tiles load only in part
- layer missing: layer of parcels missing / boundaries layer is gone
- coordinates: points are shifted on the map / coordinates land in the sea
- field app: field app does not sync / offline maps are out of date
- printing map: map cannot be exported / scale is wrong in the printed map
- editing: edits on features are lost / cannot save a drawn area
+ new layer: publish a new layer / add aerial images
+ licence map: desktop licence for maps / editor rights in the map

Public Website | Application | 2 - somewhat critical | Web Team | Orbis Vendor Support
- broken page: page shows not found / link on the start page is dead
- publish: article cannot be published / changes do not go live
- upload site: pictures cannot be uploaded / documents vanish from the page
- contact form: contact form sends nothing / inquiries from the web do not arrive
- site search: search on the website finds old pages / search box is empty
- accessibility: page cannot be read by a screen reader / contrast too low on banners
+ new page: new page for a campaign / sub-site for an event
+ editor: editor rights for the website / training account for editors

Procurement | Application | 3 - less critical | Finance Applications | Case Systems
- order stuck: order is stuck in approval / purchase request does not move
- supplier: supplier cannot be selected / supplier bank data refused
- catalogue: catalogue shows wrong prices / article missing in the catalogue
- delivery: delivery cannot be posted / goods receipt reports an error
- invoice: invoice matched to the wrong order / invoice rejected by the system
- contract: contract end date cannot be changed / contract file not linked
+ buyer role: buyer role / higher release limit
+ new supplier: set up a supplier / change of supplier data

Data Warehouse | Application | 3 - less critical | Data Platform | Case Systems
- load failed: nightly load failed / figures are from the day before
- wrong figures: report shows wrong figures / totals differ from the source
- slow report: report runs for an hour / dashboard never finishes loading
- no access: dashboard says no permission / workspace not visible
- export: export stops at some rows / spreadsheet export is broken
- schedule: scheduled report was not sent / subscription stopped
+ new report: new report for a bureau / extra column in a report
+ data access: access to a data mart / read rights for an analyst
"""

DETAILS = (
    "It began {when}. {place}",
    "{place} Colleagues at the next desk are not affected.",
    "I tried it on another machine with the same result. It began {when}.",
    "Restarting did not help. {place}",
    "First seen {when}; it comes and goes.",
    "There is an error with the number {code}. {place}",
    "Please call back, the mail is hard to reach. It began {when}.",
    "I need this for a deadline. {place} It began {when}.",
)
WHEN = (
    "this morning", "yesterday afternoon", "after the last update", "on Monday", "after lunch",
    "since I came back from leave", "during a meeting", "a few days ago", "an hour ago",
)  # fmt: skip
PLACES = (
    "I work on the second floor.", "This is in the main building.", "I am in the regional office.",
    "I am working from home.", "This is in the annex.", "I am on the road this week.",
)  # fmt: skip
TAILS = (
    "", "", "", "", " again", " since today", " (urgent)", ", please help",
    " for me and a colleague",
    " on my machine", " in our bureau",
)  # fmt: skip

#: A matter that comes back and that nobody owns: ways to put it, vague and misspelt ones too.
RECURRING = (
    "{service}: entries lost when the session ends without warning",
    "typed half an hour into {service}, then thrown out and everything gone",
    "session of {service} ends in the middle of work, entries gone",
    "logged out of {service} without warning, my entries were lost",
    "{service} loses what I entered",
    "sesion ends suddenly in {service}, entered data lost",
    "work lost again in {service} after being logged out",
    "{service} throws me out while entering data, nothing is kept",
)
HAPPY = (
    "Quick and friendly, thank you.", "Solved on the first call.", "Fine.",
    "Good explanation, it works now.", "Very patient colleague.", "All good again.",
    "Fast help, thanks a lot.",
)  # fmt: skip
NEUTRAL = (
    "It works now, but it took a while.", "Had to explain it twice.", "Okay in the end.",
    "Some waiting, then solved.",
)  # fmt: skip
ANGRY = (
    "Closed in time, but nothing works: I still cannot do my job.",
    "The ticket was closed while the fault is still there.",
    "Half a day lost again. The workaround helps nobody.",
    "I was told it is solved. It is not, it came back an hour later.",
    "Every time the same answer, and every time we lose a morning.",
    "Our whole team works around this by hand.",
    "Nobody asked whether it works for us before closing.",
    "It costs me hours each week and the desk calls it resolved.",
)
LATE = (
    "Days of waiting for a simple thing.", "Nobody answered for a week.",
    "Far too late, the deadline was over.", "I had to call three times before anything happened.",
)  # fmt: skip
