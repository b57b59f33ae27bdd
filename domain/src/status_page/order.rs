//! The order of components: one list, in which the members of a group follow each other wherever they stand.

use crate::ids::ComponentId;
use crate::status_page::fields::Component;

/// Puts `item` at `position` (from 1) among those of its group, or behind the last one.
pub fn place<T: AsRef<Component>>(list: &mut Vec<T>, item: T, position: u32) {
    let group = item.as_ref().group_id.clone();
    let siblings = list.iter().enumerate().filter(|(_, other)| other.as_ref().group_id == group);
    let before = usize::try_from(position.saturating_sub(1)).unwrap_or(usize::MAX);
    let index = siblings.map(|(index, _)| index).nth(before).unwrap_or(list.len());
    list.insert(index, item);
}

/// Takes a component out, moves it under another heading and puts it back. One that is not there stays away.
pub fn rearrange<T: AsRef<Component>>(
    list: &mut Vec<T>,
    id: &ComponentId,
    position: u32,
    regroup: impl FnOnce(&mut T),
) {
    let Some(index) = list.iter().position(|item| item.as_ref().id == *id) else { return };
    let mut item = list.remove(index);
    regroup(&mut item);
    place(list, item, position);
}

/// Where a component stands among those of its group, from 1.
pub fn position<T: AsRef<Component>>(list: &[T], id: &ComponentId) -> Option<u32> {
    let group = &list.iter().find(|item| item.as_ref().id == *id)?.as_ref().group_id;
    let siblings = list.iter().filter(|item| item.as_ref().group_id == *group);
    (1..).zip(siblings).find(|(_, item)| item.as_ref().id == *id).map(|(position, _)| position)
}
