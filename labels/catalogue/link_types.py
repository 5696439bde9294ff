"""The link types of GS1's Web Vocabulary that a product, a lot or an item may have, and how a person reads them.

What a resolver says itself is not among them: gs1:defaultLink, defaultLinkMulti and handledBy.
"""

VOCABULARY, PREFIX = "https://ref.gs1.org/voc/", "gs1:"
DEFAULT_LINK = f"{VOCABULARY}defaultLink"
TRACEABILITY, RECALL_STATUS = "gs1:traceability", "gs1:recallStatus"
_OLD_VOCABULARIES = ("https://gs1.org/voc/", "https://www.gs1.org/voc/")

TITLES = {
    "gs1:pip": "Product information",
    "gs1:activityIdeas": "Ideas for its use",
    "gs1:allergenInfo": "Allergens",
    "gs1:appDownload": "App",
    "gs1:brandHomepageClinical": "The brand, for clinicians",
    "gs1:brandHomepagePatient": "The brand, for patients",
    "gs1:careersInfo": "Careers",
    "gs1:certificationInfo": "Certificates",
    "gs1:consumerHandlingStorageInfo": "Handling and storage",
    "gs1:dpp": "Digital product passport",
    "gs1:epcis": "EPCIS events",
    "gs1:epil": "Electronic patient leaflet",
    "gs1:eventsInfo": "Events",
    "gs1:faqs": "Questions and answers",
    "gs1:hasRetailers": "Where to buy",
    "gs1:homepage": "Homepage",
    "gs1:ingredientsInfo": "Ingredients",
    "gs1:instructions": "Instructions",
    "gs1:jws": "Signed web resource",
    "gs1:leaveReview": "Leave a review",
    "gs1:locationInfo": "Place of origin",
    "gs1:logisticsInfo": "Logistics",
    "gs1:loyaltyProgram": "Loyalty programme",
    "gs1:masterData": "Master data",
    "gs1:menuInfo": "Menu",
    "gs1:nutritionalInfo": "Nutrition",
    "gs1:openingHoursInfo": "Opening hours",
    "gs1:paymentLink": "Payment",
    "gs1:productSustainabilityInfo": "Sustainability of the product",
    "gs1:promotion": "Promotion",
    "gs1:purchaseSuppliesOrAccessories": "Supplies and accessories",
    "gs1:quickStartGuide": "Quick start",
    RECALL_STATUS: "Recall status",
    "gs1:recipeInfo": "Recipes",
    "gs1:registerProduct": "Register the product",
    "gs1:registryEntry": "Entry in a register",
    "gs1:relatedImage": "Picture",
    "gs1:relatedVideo": "Video",
    "gs1:review": "Reviews",
    "gs1:safetyInfo": "Safety",
    "gs1:scheduleTime": "Make an appointment",
    "gs1:serviceInfo": "Service and repair",
    "gs1:smartLabel": "SmartLabel",
    "gs1:smpc": "Summary of product characteristics",
    "gs1:socialMedia": "Social media",
    "gs1:statisticInfo": "Statistics",
    "gs1:subscribe": "Subscribe",
    "gs1:support": "Help",
    "gs1:sustainabilityInfo": "Sustainability and recycling",
    TRACEABILITY: "Traceability",
    "gs1:tutorial": "Tutorial",
    "gs1:userAgreement": "User agreement",
    "gs1:verificationService": "Verification",
    "gs1:whatsInTheBox": "What is in the box",
}


def relation(text: str) -> str:
    """A link type as it is asked for, by its compact form: `gs1:pip` for https://ref.gs1.org/voc/pip as for itself."""
    for vocabulary in (VOCABULARY, *_OLD_VOCABULARIES):
        if text.startswith(vocabulary):
            return PREFIX + text.removeprefix(vocabulary)
    return text


def uri(rel: str) -> str:
    """The whole URI of a link type's compact form."""
    return VOCABULARY + rel.removeprefix(PREFIX)
