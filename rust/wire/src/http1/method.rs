//! The methods that requests may have.

/// Makes the enumeration, and its names both ways.
macro_rules! methods {
    ($($variant:ident $name:literal,)*) => {
        /// The methods that are known: those that are registered and that httptools knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )*
        }

        impl Method {
            /// The method called `name`, if it is known. Letter case counts.
            #[must_use]
            pub fn from_bytes(name: &[u8]) -> Option<Self> {
                $(if name == $name.as_bytes() {
                    return Some(Self::$variant);
                })*
                None
            }

            /// The method's name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

methods! {
    Get "GET",
    Post "POST",
    Put "PUT",
    Delete "DELETE",
    Patch "PATCH",
    Head "HEAD",
    Options "OPTIONS",
    Trace "TRACE",
    Connect "CONNECT",
    Acl "ACL",
    Bind "BIND",
    Checkout "CHECKOUT",
    Copy "COPY",
    Link "LINK",
    Lock "LOCK",
    Merge "MERGE",
    MkActivity "MKACTIVITY",
    MkCalendar "MKCALENDAR",
    MkCol "MKCOL",
    Move "MOVE",
    MSearch "M-SEARCH",
    Notify "NOTIFY",
    PropFind "PROPFIND",
    PropPatch "PROPPATCH",
    Purge "PURGE",
    Query "QUERY",
    Rebind "REBIND",
    Report "REPORT",
    Search "SEARCH",
    Source "SOURCE",
    Subscribe "SUBSCRIBE",
    Unbind "UNBIND",
    Unlink "UNLINK",
    Unlock "UNLOCK",
    Unsubscribe "UNSUBSCRIBE",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_has_its_own_name() {
        for name in ["GET", "HEAD", "M-SEARCH", "PROPFIND", "QUERY", "UNSUBSCRIBE"] {
            assert_eq!(Method::from_bytes(name.as_bytes()).map(Method::as_str), Some(name));
        }
        for name in ["", "get", "GETX", "BREW", "PRI"] {
            assert_eq!(Method::from_bytes(name.as_bytes()), None);
        }
    }
}
