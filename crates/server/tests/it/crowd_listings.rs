//! Long answers: whole or visibly broken, whoever reads how slowly.

use std::time::Duration;

use emulate::databases::on_each_database;
use serde_json::json;
use store::{Scope, StoreError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{Product, World, ok};

const EVERYBODY: &str = "/search?entity-type=user&start-index=0&max-results=-1&expand=user";

/// Puts many users into one local group, without the cost of as many requests.
fn populate(world: &World, count: usize) {
    let connector = world.connector.connector.clone();
    world
        .provision
        .store()
        .write_blocking(Scope::Directory(connector.directory), move |tx| {
            let group = tx.insert_directory_group(connector.directory, "everyone", "", true)?;
            for number in 0..count {
                let attributes = directory::Attributes {
                    username: format!("user{number:06}"),
                    display_name: format!("User & Number {number}"),
                    email: format!("user{number:06}@example.test"),
                    ..directory::Attributes::default()
                };
                let owner = store::AccountOwner {
                    directory: connector.directory,
                    connector: connector.id,
                    source: directory::SourceUserPk(i64::try_from(number).unwrap()),
                    external_id: None,
                };
                let user = tx.insert_account(
                    &owner,
                    &attributes,
                    directory::Status::Active,
                    directory::Reason::IdpActive,
                )?;
                tx.put_membership(group.pk, user, &[directory::Origin::Product].into())?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn every_user_and_membership_arrives_once() {
    on_each_database(|database| {
        let world = World::new(database);
        populate(&world, 3_000);
        let product = Product::reader(&world);
        let answer = product.post(EVERYBODY, "<null-search-restriction/>");
        assert!(answer.chunked, "it was not held in memory");
        let mut names = Vec::new();
        crowd::answer::users(ok(&answer).as_bytes(), |user| names.push(user.name)).unwrap();
        assert_eq!(names.len(), 3_000);
        assert!(names.is_sorted_by(|a, b| a < b));
        let answer = product.json().post(EVERYBODY, "{}");
        ok(&answer);
        assert_eq!(answer.json()["users"].as_array().unwrap().len(), 3_000);
        for path in [
            "/group/user/direct?groupname=everyone&max-results=-1",
            "/group/user/nested?groupname=everyone&max-results=5000&expand=user,attributes",
        ] {
            let mut count = 0;
            crowd::answer::users(ok(&product.get(path)).as_bytes(), |_| count += 1).unwrap();
            assert_eq!(count, 3_000, "{path}");
        }
        let mut members = 0;
        let answer = product.json().get("/group/membership");
        assert_eq!(
            answer.header("content-type"),
            Some("application/xml;charset=UTF-8")
        );
        crowd::answer::memberships(ok(&answer).as_bytes(), |group| members += group.users.len())
            .unwrap();
        assert_eq!(members, 3_000);
        // Pages tell the same.
        let mut paged = Vec::new();
        loop {
            let path = format!(
                "/search?entity-type=user&start-index={}&max-results=700",
                paged.len()
            );
            let before = paged.len();
            crowd::answer::users(ok(&product.get(&path)).as_bytes(), |user| {
                paged.push(user.name)
            })
            .unwrap();
            if paged.len() == before {
                break;
            }
        }
        assert_eq!(paged, names);
    });
}

#[test]
fn a_list_ends_where_the_page_ends() {
    on_each_database(|database| {
        let world = World::new(database);
        populate(&world, 1_500);
        let product = Product::reader(&world).json();
        let count = |path: &str| {
            let answer = product.get(path);
            ok(&answer);
            answer.json()["users"].as_array().unwrap().len()
        };
        assert_eq!(count("/search?entity-type=user"), 1_000, "the default");
        assert_eq!(count("/search?entity-type=user&max-results=1001"), 1_001);
        assert_eq!(
            count("/search?entity-type=user&start-index=1400&max-results=5000"),
            100
        );
        assert_eq!(
            count("/search?entity-type=user&restriction=name%3Duser0000*&max-results=-1"),
            100
        );
        assert_eq!(
            count("/search?entity-type=user&restriction=odd%3Dx&max-results=-1"),
            0
        );
    });
}

/// Asks for everybody, reads a little, and then does as told with the connection.
async fn read_a_little(product: &Product<'_>) -> TcpStream {
    let mut stream = TcpStream::connect(&product.world.address).await.unwrap();
    let head = format!(
        "GET /rest/usermanagement/1{EVERYBODY} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nAuthorization: {}\r\n\r\n",
        product.credentials.basic()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut some = [0; 4096];
    stream.read_exact(&mut some).await.unwrap();
    assert!(some.starts_with(b"HTTP/1.1 200"));
    stream
}

#[test]
fn callers_who_leave_or_stop_reading_do_not_hold_up_others() {
    on_each_database(|database| {
        let world = World::new(database);
        populate(&world, 12_000);
        let product = Product::reader(&world);
        world.run(async {
            for _ in 0..12 {
                drop(read_a_little(&product).await);
            }
        });
        let stalled = world.run(async {
            let mut stalled = Vec::new();
            for _ in 0..4 {
                stalled.push(read_a_little(&product).await);
            }
            stalled
        });
        // Short answers still come: logins do not wait for somebody's full synchronisation.
        ok(&product.get("/user/group/direct?username=user000001&max-results=-1"));
        ok(&product.get("/search?entity-type=user&max-results=10"));
        ok(&product.get("/event"));
        drop(stalled);
        let answer = world.run(async {
            let ask = product.ask("GET", EVERYBODY).send(&world.address);
            tokio::time::timeout(Duration::from_secs(60), ask)
                .await
                .unwrap()
        });
        let mut count = 0;
        crowd::answer::users(ok(&answer).as_bytes(), |_| count += 1).unwrap();
        assert_eq!(count, 12_000);
    });
}

#[test]
fn a_list_is_one_state_of_the_directory() {
    on_each_database(|database| {
        let world = World::new(database);
        populate(&world, 12_000);
        let product = Product::reader(&world);
        let mut stream = world.run(read_a_little(&product));
        let late = world.user(json!({"userName": "zz-late"}));
        let rest = world.run(async {
            let mut rest = Vec::new();
            let mut piece = [0; 65536];
            while !rest.ends_with(b"0\r\n\r\n") {
                let read = stream.read(&mut piece).await.unwrap();
                assert!(read > 0);
                rest.extend_from_slice(&piece[..read]);
            }
            rest
        });
        assert!(!String::from_utf8_lossy(&rest).contains("zz-late"));
        assert!(ok(&product.get(EVERYBODY)).contains("zz-late"));
        world.delete_user(&late);
    });
}
