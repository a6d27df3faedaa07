"""Short and familiar forms of given names, each line one name and its forms; a form may belong to several names."""

from __future__ import annotations

_LINES = """
abigail abby abbie gail
albert al bert bertie
alexander alex al sandy xander sasha
alexandra alex sandra sasha lexi
alfred al alf fred freddie
amanda mandy
andrew andy drew
angela angie
ann anne anna annie nan nancy
anthony tony
arthur art artie
barbara barb babs barbie
benjamin ben benny benji
bernard bernie
beverly bev
bradley brad
calvin cal
cameron cam
carol caroline carolyn carrie
catherine katherine kathryn katharine cathy kathy kate katie kay kitty cate
charles charlie chuck chas
charlotte charlie lottie
christina christine tina chris chrissy christie
christopher chris topher kit
cynthia cindy
daniel dan danny
david dave davy
deborah debra deb debbie
dennis denny
dolores lola
donald don donny
dorothy dot dottie dolly
douglas doug
edward ed eddie ted teddy ned
edwin ed eddie
eleanor ellen ellie nell nora
elizabeth elisabeth liz lizzie beth betty betsy eliza lisa libby bess
emily em emmy
eugene gene
frances fran frannie
francis frank francisco paco
franklin frank
frederick fred freddie rick
gabriel gabe
gabrielle gabby
geoffrey jeffrey geoff jeff
gerald gerry jerry
gregory greg gregg
gwendolyn gwen
harold harry hal
harriet hattie
henry harry hank hal
isabella isabel bella izzy
jacob jake
jacqueline jackie
james jim jimmy jamie
janet jan
jennifer jen jenny jenna
jeremiah jeremy jerry
jessica jess jessie
john johnny jack jon
jonathan jon johnny nathan
joseph joe joey jose pepe
joshua josh
joyce joy
judith judy
julia julie jules
karen kari
kenneth ken kenny
kimberly kim
kristina kristine kris tina
laura laurie
lawrence laurence larry
leonard len lenny leo
leslie les
lillian lily lil
linda lindy
louis lewis lou louie
louise lou
lucille lucy
madeline maddie maddy
margaret maggie meg peggy marge margie greta rita
maria mary marie mia molly polly
martin marty
matthew matt matty
maximilian max
megan meg
melissa missy mel
michael mike mick mickey
michelle shelly
mitchell mitch
nancy nan
natalie nat natasha
nathaniel nathan nate nat
nicholas nick nicky
nicole nikki nicky
norman norm
olivia liv livvy
oliver ollie
pamela pam
patricia pat patty trish tricia
patrick pat paddy
penelope penny
peter pete
philip phillip phil
rachel rae
raymond ray
rebecca becky becca
regina gina
richard rick ricky rich dick richie
robert bob bobby rob robbie bert
roberta bobbie
rodney rod
roger rog
ronald ron ronnie
rosemary rose rosie
russell russ
samantha sam sammy
samuel sam sammy
sandra sandy
sarah sara sally sadie
sharon shari
sophia sophie
stephanie steph stephie
stephen steven steve stevie
stuart stewart stu
susan sue susie suzanne susanna
teresa theresa terry tess
terrence terence terry
theodore ted teddy theo
thomas tom tommy
timothy tim timmy
valerie val
veronica ronnie
victor vic
victoria vicky tori
vincent vince vinny
virginia ginny
walter walt wally
wendy gwendolyn
wilhelm willi willy
william will bill billy willie liam
zachary zach zack
"""


def _forms() -> dict[str, frozenset[str]]:
    names: dict[str, set[str]] = {}
    for line in _LINES.split("\n"):
        words = line.split()
        for word in words:
            names.setdefault(word, set()).add(words[0])
    return {word: frozenset(of) for word, of in names.items()}


FORMS = _forms()
