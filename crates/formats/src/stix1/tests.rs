use super::*;

/// A package with this inside.
fn package(inside: &str) -> String {
    format!(
        "<stix:STIX_Package xmlns:stix=\"s\" id=\"x:Package-11110000-0000-4000-8000-000000000001\">{inside}</stix:STIX_Package>"
    )
}

fn indicator(properties: &str) -> String {
    package(&format!(
        "<stix:Indicators><stix:Indicator id=\"x:Indicator-22220000-0000-4000-8000-000000000001\"><i:Description>Bad</i:Description>\
         <i:Observable><cybox:Object><cybox:Properties {properties}</cybox:Properties></cybox:Object></i:Observable>\
         </stix:Indicator></stix:Indicators>"
    ))
}

#[test]
fn properties_become_attributes() {
    for (properties, kind, value) in [
        (
            "xsi:type=\"AddressObj:AddressObjectType\" category=\"ipv4-addr\"><A:Address_Value>192.0.2.1</A:Address_Value>",
            "ip-dst",
            "192.0.2.1",
        ),
        (
            "xsi:type=\"AddressObj:AddressObjectType\" category=\"e-mail\"><A:Address_Value>a@b.example</A:Address_Value>",
            "email",
            "a@b.example",
        ),
        ("xsi:type=\"D:DomainNameObjectType\"><D:Value>a.example</D:Value>", "domain", "a.example"),
        (
            "xsi:type=\"U:URIObjectType\" type=\"URL\"><U:Value>http://a.example/?a=1&amp;b=2</U:Value>",
            "url",
            "http://a.example/?a=1&b=2",
        ),
        (
            "xsi:type=\"U:URIObjectType\" type=\"Domain Name\"><U:Value>a.example</U:Value>",
            "domain",
            "a.example",
        ),
        (
            "xsi:type=\"F:FileObjectType\"><F:File_Name>a.exe</F:File_Name><F:Hashes><C:Hash><C:Type>MD5</C:Type>\
             <C:Simple_Hash_Value>b2a5abfeef9e36964281a31e17b57c97</C:Simple_Hash_Value></C:Hash></F:Hashes>",
            "filename|md5",
            "a.exe|b2a5abfeef9e36964281a31e17b57c97",
        ),
        (
            "xsi:type=\"W:WindowsRegistryKeyObjectType\"><W:Hive>HKLM</W:Hive><W:Key>A\\B</W:Key>",
            "regkey",
            "HKLM\\A\\B",
        ),
        (
            "xsi:type=\"S:SocketAddressObjectType\"><S:IP_Address is_source=\"true\"><A:Address_Value>192.0.2.1</A:Address_Value></S:IP_Address>\
             <S:Port><P:Port_Value>53</P:Port_Value></S:Port>",
            "ip-src|port",
            "192.0.2.1|53",
        ),
    ] {
        let event = read_package(indicator(properties).as_bytes()).unwrap().remove(0);
        let [attribute] = &event.attributes[..] else { panic!("{properties}: {:?}", event.attributes.len()) };
        assert_eq!((attribute.kind.as_deref(), attribute.value.as_deref()), (Some(kind), Some(value)));
        assert_eq!((attribute.to_ids, attribute.comment.as_deref()), (Some(true), Some("Bad")));
        assert_eq!(attribute.uuid.unwrap().to_string(), "22220000-0000-4000-8000-000000000001");
    }
}

#[test]
fn lists_in_one_value_are_several_attributes() {
    let list =
        "xsi:type=\"A:AddressObjectType\"><A:Address_Value>192.0.2.1##comma##192.0.2.2</A:Address_Value>";
    let event = read_package(indicator(list).as_bytes()).unwrap().remove(0);
    assert_eq!(event.attributes.len(), 2);
    assert_ne!(event.attributes[0].uuid, event.attributes[1].uuid);
}

#[test]
fn what_is_no_package_is_refused_with_its_reason() {
    for (xml, path) in [
        ("", "STIX_Package"),
        ("{\"type\":\"bundle\"}", "STIX_Package"),
        ("<html/>", "html"),
        ("<stix:STIX_Package/>", "STIX_Package"),
        ("<!DOCTYPE x [<!ENTITY a \"b\">]><stix:STIX_Package>&a;</stix:STIX_Package>", "STIX_Package"),
    ] {
        assert_eq!(read_package(xml.as_bytes()).unwrap_err().path, path, "{xml}");
    }
    assert!(read_package(b"\xff\xfe").is_err());
}
