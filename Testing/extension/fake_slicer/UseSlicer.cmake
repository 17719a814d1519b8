# In a real extension the installed place differs from the one in the build tree (on macOS by more than the prefix).
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR ./Extensions/${PROJECT_NAME}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR})
set(BUILD_TESTING ON)

# Copies what is listed into the build tree, where the modules of an extension share one folder, and installs it. Like
# Slicer's own it refuses keywords it does not know and files that are not there. Slicer's installs all that lies in
# the shared folder; here the package has to be installed by itself, so that a test can tell that it is.
function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MODULE "WITH_GENERIC_TESTS" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MODULE_UNPARSED_ARGUMENTS OR NOT MODULE_NAME OR NOT MODULE_SCRIPTS)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule(${ARGN})")
  endif()
  set(shared_folder ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR})
  set(copies)
  foreach(file IN LISTS MODULE_SCRIPTS MODULE_RESOURCES)
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      message(FATAL_ERROR "${MODULE_NAME}: there is no ${file}")
    endif()
    add_custom_command(OUTPUT ${shared_folder}/${file} DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file}
      COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${shared_folder}/${file})
    list(APPEND copies ${shared_folder}/${file})
    get_filename_component(folder ${file} DIRECTORY)
    install(FILES ${file} DESTINATION ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}/${folder} COMPONENT RuntimeLibraries)
  endforeach()
  add_custom_target(${MODULE_NAME} ALL DEPENDS ${copies})
endfunction()

function(slicer_add_python_unittest)
  cmake_parse_arguments(TEST "" "SCRIPT" "" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${TEST_SCRIPT})
    message(FATAL_ERROR "there is no test ${TEST_SCRIPT}")
  endif()
  file(APPEND ${CMAKE_BINARY_DIR}/unit_tests.txt "${TEST_SCRIPT}\n")
endfunction()
